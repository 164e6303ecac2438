import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'

/** Total size and modification times of files. */
export interface FilesState {
  /** Total size. */
  bytes: number
  /** Changes when a file changes. */
  mark: string
}

/** Returns the size and a change mark of files without reading them. @throws HeedError for a missing file */
export async function stateOfFiles(files: readonly string[]): Promise<FilesState> {
  checkArgument('stateOfFiles', 'files', files, 'texts')
  const states = await Promise.all(files.map((file) => statOf(file)))
  const bytes = states.reduce((sum, { size }) => sum + size, 0)
  return { bytes, mark: JSON.stringify(states.map(({ size, mtimeMs }) => [size, mtimeMs])) }
}

const checkHashFiles = argumentKinds('hashFiles', { files: 'texts', onBytes: 'function?' })

/**
 * Computes a hexadecimal SHA-256 of the contents, names and order of files. Their folders do not count.
 * @param onBytes progress callback; an error that it throws aborts the hashing
 */
export async function hashFiles(
  files: readonly string[],
  onBytes?: (bytes: number) => void,
): Promise<string> {
  checkHashFiles(files, onBytes)
  const hash = createHash('sha256')
  let bytes = 0
  for (const file of files) {
    const fileHash = createHash('sha256')
    try {
      for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) {
        fileHash.update(piece)
        onBytes?.((bytes += piece.length))
      }
    } catch (error) {
      throw fileError(error, 'read', file)
    }
    hash.update(`${JSON.stringify(basename(file))} ${fileHash.digest('hex')}\n`)
  }
  return hash.digest('hex')
}

const statOf = (file: string) =>
  stat(file).catch((error) => {
    throw fileError(error, 'read', file)
  })
