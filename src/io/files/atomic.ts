import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { checkArgument } from '../../util/check-argument.ts'
import { onWindows } from '../../util/on-windows.ts'
import { fileError } from './file-error.ts'
import { checkNames } from './names-on-windows.ts'
import { move, removeUnlessHeld } from './patience.ts'
import { hasEnded, thisProcess } from './process-identity.ts'

/**
 * Writes a file atomically: at any moment, even if the process is killed or the disk is full, `path` is either the
 * complete old file or the complete new one. The new file is written to the same folder, synced to disk, and renamed.
 * @throws HeedError if the file cannot be written
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await replaceFile(path, (handle) => handle.writeFile(data))
}

/** Like `writeFileAtomic`, for content that `write` produces in pieces. */
export async function replaceFile(
  path: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  checkArgument('A file', 'path', path, 'text')
  checkNames(path)
  const temporary = temporaryPath(path)
  try {
    if (await isFolder(path)) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' })
    const handle = await open(temporary, 'wx')
    try {
      await write(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await move(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}) // the first error is reported
    throw fileError(error, 'write', path)
  }
}

/** Whether a path is a folder. */
export const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )

/** Syncs the entries of a folder to disk after a rename. */
export async function syncFolder(path: string): Promise<void> {
  if (onWindows) return // Windows cannot open folders
  await syncFile(path)
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, onWindows ? 'r+' : 'r') // Windows syncs only files that are open for writing
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A name in the same folder (renames do not cross disks) that identifies the process that owns the file. */
export function temporaryPath(path: string): string {
  const { host, pid, token } = thisProcess
  return join(dirname(path), `.${basename(path)}.${host}-${pid}-${token}-${counter++}.tmp`)
}

/** Removes temporary files of killed processes. Those of running processes remain. */
export async function removeStaleTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = TEMPORARY.exec(name)?.groups
    const path = join(folder, name)
    if (owner && (await isStale(path, owner))) await removeUnlessHeld(path)
  }
}

const TEMPORARY =
  /^\..+\.(?<host>[A-Za-z0-9]{1,32})-(?<pid>[0-9]{1,10})-(?<token>[0-9a-f]{8})-[0-9]{1,15}\.tmp$/
const ONE_DAY = 24 * 3600 * 1000
let counter = 0

async function isStale(path: string, owner: Record<string, string>): Promise<boolean> {
  const { host, pid, token } = owner
  const ended = hasEnded({ host, pid: Number(pid), token })
  if (ended || token === thisProcess.token) return ended === true
  try {
    return Date.now() - (await stat(path)).mtimeMs > ONE_DAY // whether other machines still run is unknown
  } catch {
    return false // another process has just removed it
  }
}
