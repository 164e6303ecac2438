import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileError } from '../io/files/file-error.ts'

/** What files hold, told by their names, sizes and times without reading them. */
export interface FilesState {
  /** Of all together. */
  bytes: number
  /** Another one once a file has changed. */
  mark: string
}

export async function stateOfFiles(files: readonly string[]): Promise<FilesState> {
  const states = await Promise.all(files.map((file) => statOf(file)))
  const bytes = states.reduce((sum, { size }) => sum + size, 0)
  return { bytes, mark: JSON.stringify(states.map(({ size, mtimeMs }) => [size, mtimeMs])) }
}

/**
 * A SHA-256 of the contents of files, their names and their order, in hexadecimal; not of the folders
 * that they are in.
 * @param onBytes is called often; what it throws ends the work
 */
export async function hashFiles(
  files: readonly string[],
  onBytes?: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  for (const file of files) {
    const own = createHash('sha256')
    try {
      for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) {
        own.update(piece)
        onBytes?.((bytes += piece.length))
      }
    } catch (error) {
      throw fileError(error, 'read', file)
    }
    hash.update(`${JSON.stringify(basename(file))} ${own.digest('hex')}\n`)
  }
  return hash.digest('hex')
}

const statOf = (file: string) =>
  stat(file).catch((error) => {
    throw fileError(error, 'read', file)
  })
