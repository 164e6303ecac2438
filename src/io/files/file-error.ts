import { HeedError } from '../../util/errors.ts'

/**
 * Turns a system error into one that says what failed and how to mend it. `action` is what was
 * tried, as in `cannot ${action} ${path}`. Errors that are none of the system's pass unchanged.
 */
export function fileError(error: unknown, action: string, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof HeedError || typeof code !== 'string') return error
  const [reason, remedy] = REASONS[code] ?? [message]
  return new HeedError('corrupt-file', `cannot ${action} ${path}: ${reason}`, {
    cause: error,
    remedy,
  })
}

/** A name from a file, fit to print: quoted, control characters escaped, cut when long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name)
}

/** Sizes as a person reads them: `1.5 GB`. */
export function formatBytes(bytes: number): string {
  const unit = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  if (unit === 0) return `${bytes} bytes`
  return `${Number((bytes / 1000 ** unit).toPrecision(3))} ${['kB', 'MB', 'GB', 'TB'][unit - 1]}`
}

const REASONS: Record<string, [reason: string, remedy?: string]> = {
  ENOENT: ['it does not exist', 'Check the path.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EISDIR: ['it is a folder, not a file', 'Give the path of a file.'],
  EACCES: ['permission denied', 'Change its permissions, or choose another folder.'],
  EPERM: ['permission denied', 'Change its permissions, or choose another folder.'],
  EROFS: ['the file system is read-only', 'Choose a folder on another file system.'],
  ENOSPC: [
    'the disk is full',
    'Free some space or choose a folder on another disk. Nothing old was lost.',
  ],
  EDQUOT: [
    'the disk quota is used up',
    'Free some space or choose another disk. Nothing old was lost.',
  ],
  EFBIG: ['the file would be larger than this file system allows', 'Choose another disk.'],
  EMFILE: ['too many files are open', 'Close some, or raise the limit (ulimit -n).'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter one.'],
  ELOOP: ['its symbolic links go round in a circle', 'Check the links.'],
}
