// Windows cannot rename, replace or remove a file that another program has open, or a folder with such a file. Virus
// scanners and indexers open new files for a moment, so calls are repeated for a short time.
import { rename, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { onWindows } from '../../util/on-windows.ts'
import { systemCode } from './file-error.ts'

/** System functions, which tests replace. */
export interface FileSystem {
  readonly isWindows: boolean
  rename(from: string, to: string): Promise<void>
  rm(path: string, options: { recursive: boolean; force: boolean }): Promise<void>
  wait(milliseconds: number): Promise<unknown>
}

const thisSystem: FileSystem = { isWindows: onWindows, rename, rm, wait: sleep }

/** Renames a file or a folder. An existing file is replaced. */
export const move = (from: string, to: string, system = thisSystem): Promise<void> =>
  patiently(() => system.rename(from, to), system)

/** Removes a file, or a folder with its contents, if it exists. */
export const remove = (path: string, system = thisSystem): Promise<void> =>
  patiently(() => system.rm(path, { recursive: true, force: true }), system)

/**
 * Removes a file or a folder that is no longer needed.
 * @returns false if another program has it open, so that it can be removed later
 */
export async function removeUnlessHeld(path: string, system = thisSystem): Promise<boolean> {
  try {
    await system.rm(path, { recursive: true, force: true })
    return true
  } catch (error) {
    if (isHeld(error, system)) return false
    throw error
  }
}

/** Runs `work`. On Windows, repeats it for up to 3 seconds while another program has the file open. */
export async function patiently<T>(work: () => Promise<T>, system = thisSystem): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await work()
    } catch (error) {
      if (!isHeld(error, system)) throw error
      await system.wait(pause)
    }
  }
  return work()
}

/** Whether a call failed because another program has the file open (Windows). */
export const isHeld = (
  error: unknown,
  { isWindows }: Pick<FileSystem, 'isWindows'> = thisSystem,
): boolean => isWindows && HELD.has(systemCode(error))

const HELD: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'EBUSY', 'ENOTEMPTY'])

/** Delay between attempts in milliseconds. */
const PAUSES = [10, 20, 40, 80, 160, 320, 640, 800, 1000]
