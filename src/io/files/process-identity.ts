// Which process wrote a file, and whether it is still running.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { systemCode } from './file-error.ts'

export interface ProcessIdentity {
  host: string
  pid: number
  /** Random: process numbers are reused, in containers nearly always. */
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
 * When a process started, in ticks since the system's start: a reused number has another time. Undefined where the
 * system does not tell (Linux does).
 */
export async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name of the program, in parentheses, may contain spaces and parentheses.
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19]
}

/** True if it ended, false if it is running, undefined if it is on another machine. */
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
    return systemCode(error) === 'EPERM' // alive, but of another user
  }
}
