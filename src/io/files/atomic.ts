import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileError } from './file-error.ts'

/**
 * Writes a file so that at every moment, whatever is killed or fills up, `path` is either the
 * whole old file or the whole new one: written beside it, flushed to the disk, renamed over it.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await replaceFile(path, (handle) => handle.writeFile(data))
}

/** As `writeFileAtomic`, for content that `write` produces piece by piece. */
export async function replaceFile(
  path: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = temporaryPath(path)
  try {
    const handle = await open(temporary, 'wx')
    try {
      await write(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}) // the first error is the one to tell
    throw fileError(error, 'write', path)
  }
}

/** Flushes a folder's list of names, which a rename has changed, to the disk. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return // folders cannot be opened there
  await syncFile(path)
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A name in the same folder (renames do not cross disks) that says which process owns it. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${HOST}-${process.pid}-${TOKEN}-${counter++}.tmp`)
}

/** Removes what killed processes left in a folder; what a living one is writing stays. */
export async function removeStaleTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = TEMPORARY.exec(name)?.groups
    const path = join(folder, name)
    if (owner && (await isStale(path, owner))) await rm(path, { recursive: true, force: true })
  }
}

const HOST =
  hostname()
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 32) || 'host'
const TOKEN = randomBytes(4).toString('hex')
const TEMPORARY =
  /^\..+\.(?<host>[A-Za-z0-9]{1,32})-(?<pid>[0-9]{1,10})-(?<token>[0-9a-f]{8})-[0-9]{1,15}\.tmp$/
const ONE_DAY = 24 * 3600 * 1000
let counter = 0

// A process number is used again in time (in a container nearly always): our own needs our token.
async function isStale(path: string, owner: Record<string, string>): Promise<boolean> {
  if (owner.token === TOKEN) return false
  const pid = Number(owner.pid)
  if (owner.host === HOST && (pid === process.pid || !isAlive(pid))) return true
  try {
    return Date.now() - (await stat(path)).mtimeMs > ONE_DAY // also those of other machines
  } catch {
    return false // somebody else has just removed it
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0) // sends nothing, asks only
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // alive, but of another user
  }
}
