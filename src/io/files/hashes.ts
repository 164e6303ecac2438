// hashes.json lists the SHA-256 of the files in a folder, so that a flipped bit is detected when the folder is opened.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { writeFileAtomic } from './atomic.ts'
import { fileError, systemCode } from './file-error.ts'
import { readJson } from './json.ts'

/** Name of the list. */
export const HASHES = 'hashes.json'

const entrySchema = z.strictObject({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 in hexadecimal'),
  bytes: z
    .int()
    .min(0)
    .optional()
    .describe('number of bytes that the hash covers, for files that grow; default: the whole file'),
})

/** A relative path with `/`. */
const pathSchema = z.string().regex(/^(?!(.*\/)?\.\.?(\/|$))[^/\\]+(\/[^/\\]+)*$/)

export const hashesSchema = z.strictObject({
  files: z.record(pathSchema, entrySchema).describe('hashes by path, relative to the folder'),
})

export type FileHash = z.output<typeof entrySchema>

/** Computes the hexadecimal SHA-256 of a file, or of its first `bytes` bytes. */
export async function hashFile(path: string, bytes = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256')
  if (bytes === 0) return hash.digest('hex')
  try {
    const stream = createReadStream(path, { end: bytes - 1, highWaterMark: 1 << 20 })
    for await (const piece of stream) hash.update(piece)
  } catch (error) {
    throw fileError(error, 'read', path)
  }
  return hash.digest('hex')
}

/** Adds files to the list, or replaces their entries. */
export async function recordHashes(
  folder: string,
  files: readonly string[],
  known: Readonly<Record<string, FileHash>> = {},
): Promise<void> {
  const entries: Record<string, FileHash> = { ...(await storedHashes(folder)), ...known }
  for (const name of files) entries[name] = { sha256: await hashFile(join(folder, name)) }
  const sorted = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)))
  await writeFileAtomic(join(folder, HASHES), `${JSON.stringify({ files: sorted }, null, 2)}\n`)
}

/** Removes entries before files are replaced. Until `recordHashes` is called, these files are not verified. */
export async function forgetHashes(folder: string, files?: readonly string[]): Promise<void> {
  if (!files) return rm(join(folder, HASHES), { force: true })
  const stored = await storedHashes(folder)
  if (!stored) return
  const kept = Object.entries(stored).filter(([name]) => !files.includes(name))
  const text = JSON.stringify({ files: Object.fromEntries(kept) }, null, 2)
  await writeFileAtomic(join(folder, HASHES), `${text}\n`)
}

/**
 * Reads the list of a folder; undefined if it has none.
 * @throws HeedError if the list is damaged
 */
export async function storedHashes(folder: string): Promise<Record<string, FileHash> | undefined> {
  const path = join(folder, HASHES)
  const there = await stat(path).catch(() => undefined)
  if (!there) return undefined
  const parsed = hashesSchema.safeParse(await readJson(path, { maxBytes: 20e6 }))
  if (parsed.success) return parsed.data.files
  throw new HeedError('corrupt-file', `${path} must be a list of SHA-256 hashes, but is damaged`, {
    remedy: 'Restore it from a copy, or remove it to open the folder without verification.',
  })
}

/** Verifies a file of the list. Returns a description of the problem; undefined if the file is intact. */
export async function problemOf(
  path: string,
  { sha256, bytes }: FileHash,
): Promise<string | undefined> {
  try {
    if (bytes !== undefined && (await stat(path)).size < bytes)
      return `it must have at least ${bytes} bytes, but is shorter`
    if ((await hashFile(path, bytes)) === sha256) return undefined
    return 'its SHA-256 has changed since it was written'
  } catch (error) {
    const cause = error instanceof HeedError ? error.cause : error
    return systemCode(cause) === 'ENOENT' ? 'it is missing' : String((error as Error).message)
  }
}
