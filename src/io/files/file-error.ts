import type { ErrorCode } from '../../util/error-codes.ts'
import { HeedError } from '../../util/errors.ts'
import { onWindows } from '../../util/on-windows.ts'

/**
 * Converts a system error to a HeedError with the action and a remedy: "Cannot `action` `path`: the disk is full".
 * Other errors are returned unchanged.
 */
export function fileError(
  error: unknown,
  action: string,
  path: string,
  isWindows = onWindows,
): unknown {
  if (!(error instanceof Error) || error instanceof HeedError) return error
  const code = systemCode(error)
  if (code === undefined) return error
  const [reason, remedy] = reasonOf(code, action, isWindows) ?? [error.message, 'Check the path and the disk.'] // biome-ignore format: one line
  const kind: ErrorCode = code === 'ENOENT' ? 'missing-file' : 'file-system'
  return new HeedError(kind, `Cannot ${action} ${path || "''"}: ${reason}`, {
    value: path,
    remedy,
    cause: error,
  })
}

/** If a write fails with ENOENT, the folder is missing, not the file. */
function reasonOf(code: string, action: string, isWindows: boolean): Reason | undefined {
  if (code === 'ENOENT' && action.startsWith('write'))
    return ['its folder does not exist', 'Create the folder, or check the path.']
  return (isWindows ? ON_WINDOWS[code] : undefined) ?? REASONS[code]
}

/** The code of a system error, such as ENOENT; undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Formats a name from a file for messages: quoted, shortened, and with control characters escaped. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name)
}

/** Formats a size with a unit: `1.5 GB`. */
export function formatBytes(bytes: number): string {
  const unit = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  if (unit === 0) return `${bytes} bytes`
  return `${Number((bytes / 1000 ** unit).toPrecision(3))} ${['kB', 'MB', 'GB', 'TB'][unit - 1]}`
}

type Reason = readonly [reason: string, remedy: string]

const REASONS: Readonly<Record<string, Reason>> = {
  ENOENT: ['it does not exist', 'Check the path.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EISDIR: ['it is a folder, not a file', 'Use the path of a file.'],
  EACCES: ['permission denied', 'Change its permissions, or choose another folder.'],
  EPERM: ['permission denied', 'Change its permissions, or choose another folder.'],
  EBUSY: ['another program has it open', 'Close that program, and try again.'],
  EROFS: ['the file system is read-only', 'Choose a folder on another file system.'],
  ENOSPC: [
    'the disk is full',
    'Free some space, or choose a folder on another disk. Existing files are unchanged.',
  ],
  EDQUOT: [
    'the disk quota is used up',
    'Free some space, or choose another disk. Existing files are unchanged.',
  ],
  EFBIG: ['the file would be larger than this file system allows', 'Choose another disk.'],
  EMFILE: ['too many files are open', 'Close some files, or raise the limit (ulimit -n).'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter name.'],
  ELOOP: ['its symbolic links form a loop', 'Check the symbolic links.'],
}

/** Windows reports the same code for missing permissions and for files that another program has open. */
const HELD: Reason = [
  'another program has it open, or permission is denied',
  'Close programs that use it (editors, virus scanners, programs that synchronise folders), or change its permissions, and try again. Existing files are unchanged.',
]
const ON_WINDOWS: Readonly<Record<string, Reason>> = { EACCES: HELD, EPERM: HELD, EBUSY: HELD }
