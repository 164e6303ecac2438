import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { fileError, formatBytes } from '../../io/files/file-error.ts'
import { formatOf, readHead } from '../../io/files/file-format.ts'
import { refuseOtherFormats } from '../../io/files/wrong-format.ts'
import { HeedError } from '../../util/errors.ts'

/**
 * Reads the bytes of a text file in pieces of about a megabyte. Gzip files are decompressed, whatever their name.
 * @param isPlain accept any text, including HTML and XML
 * @throws HeedError for a file in another known format, such as a Git LFS pointer
 */
export async function* readPieces(file: string, isPlain = false): AsyncGenerator<Uint8Array> {
  const head = await readHead(file) // throws for folders and devices
  const markup = isPlain ? (['html', 'xml'] as const) : []
  refuseOtherFormats(file, 'a text file', head, ['json', 'gzip', ...markup])
  const stream = createReadStream(file, { highWaterMark: 1 << 20 })
  try {
    if (formatOf(head) === 'gzip') yield* unpack(file, stream)
    else yield* stream
  } catch (error) {
    throw fileError(error, 'read', file)
  } finally {
    stream.destroy()
  }
}

/** Protects against decompression bombs. Text does not reach this ratio; one repeated byte reaches 1000. */
const BEST_RATIO = 200
const HARMLESS = 256 << 20

async function* unpack(file: string, packed: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  const { size } = await stat(file)
  let unpacked = 0
  const gunzip = createGunzip({ chunkSize: 1 << 20 })
  packed.once('error', (error) => gunzip.destroy(error as Error))
  try {
    for await (const piece of packed.pipe(gunzip)) {
      unpacked += piece.length
      if (unpacked > HARMLESS && unpacked > size * BEST_RATIO) throw bomb(file, size)
      yield piece as Uint8Array
    }
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw new HeedError('corrupt-file', `${file} is damaged: ${(error as Error).message}`, {
      cause: error,
      remedy: 'Copy or download the file again.',
    })
  } finally {
    gunzip.destroy()
  }
}

function bomb(file: string, size: number): HeedError {
  return new HeedError(
    'invalid-data',
    `${file} must decompress to at most ${BEST_RATIO} times its size (${formatBytes(size)}), got more`,
    { remedy: 'If you trust the file, decompress it first.' },
  )
}
