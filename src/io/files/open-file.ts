import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { HeedError } from '../../util/errors.ts'
import { fileError } from './file-error.ts'

/** Opens a regular file for reading. A pipe or a device, which could block for ever, is refused. */
export async function openForReading(path: string): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)) // a pipe answers too
    const stat = await handle.stat()
    if (stat.isFile()) return { handle, size: stat.size }
    const kind = stat.isDirectory() ? 'a folder' : 'a pipe or a device'
    throw new HeedError('corrupt-file', `cannot read ${path}: it is ${kind}, not a file`)
  } catch (error) {
    await handle?.close()
    throw fileError(error, 'read', path)
  }
}

/** Fills `target` from `position` on. False when the file ends before that. */
export async function readFully(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
): Promise<boolean> {
  let done = 0
  while (done < target.byteLength) {
    const length = Math.min(target.byteLength - done, MAX_READ)
    const { bytesRead } = await handle.read(target, done, length, position + done)
    if (bytesRead === 0) return false
    done += bytesRead
  }
  return true
}

const MAX_READ = 1 << 30 // one system call moves less than 2 GiB
