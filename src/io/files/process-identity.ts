// Identifies the process that wrote a file, and finds out whether it is still running.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { systemCode } from './file-error.ts'

export interface ProcessIdentity {
  host: string
  pid: number
  /** Random token, because process numbers are reused, almost always in containers. */
  token: string
}

export const thisProcess: ProcessIdentity = {
  host:
    hostname()
      .replace(/[^A-Za-z0-9]/g, '')
      .slice(0, 32) || 'host',
  pid: process.pid,
  token: randomBytes(4).toString('hex'),
}

/**
 * The start time of a process in ticks since boot, which distinguishes reused process numbers. Undefined on systems
 * other than Linux.
 */
export async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name of the program, in parentheses, may contain spaces and parentheses.
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19]
}

/** Whether a process has ended; undefined if it is on another machine. */
export function hasEnded({ host, pid, token }: ProcessIdentity): boolean | undefined {
  if (token === thisProcess.token) return false
  if (host !== thisProcess.host) return undefined
  return pid === thisProcess.pid || !isAlive(pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0) // sends no signal
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM' // it runs as another user
  }
}
