import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { fileError } from './file-error.ts'

/** Opens a regular file for reading. @throws HeedError for pipes and devices, because they could block */
export async function openForReading(path: string): Promise<{ handle: FileHandle; size: number }> {
  checkArgument('A file', 'path', path, 'text')
  let handle: FileHandle | undefined
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)) // do not wait for the writer of a pipe
    const stat = await handle.stat()
    if (stat.isFile()) return { handle, size: stat.size }
    const kind = stat.isDirectory() ? 'a folder' : 'a pipe or a device'
    throw new HeedError('file-system', `Cannot read ${path}: it is ${kind}, not a file`, {
      value: path,
      remedy: 'Use the path of a file.',
    })
  } catch (error) {
    await handle?.close()
    throw fileError(error, 'read', path)
  }
}

/** Fills `target` with the bytes at `position`. Returns false if the file is too short. */
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

/** The error for a file that another process truncated while it was read. */
export function shrunk(path: string): HeedError {
  return new HeedError('file-system', `Cannot read ${path}: it became shorter while it was read`, {
    value: path,
    remedy: 'Try again when no other program writes to it.',
  })
}

const MAX_READ = 1 << 30 // a system call reads less than 2 GiB
