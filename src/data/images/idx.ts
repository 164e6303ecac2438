// IDX, the format of MNIST: two zero bytes, type, rank, sizes (big-endian), numbers; often compressed with gzip.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { fileError } from '../../io/files/file-error.ts'
import { wrongFormat } from '../../io/files/wrong-format.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import type { Row, RowSource } from '../row.ts'

/** An array of unsigned bytes with its shape. */
export interface IdxArray {
  /** Sizes of the axes, outermost first: (count, height, width) for images. */
  readonly shape: readonly number[]
  /** The bytes in row-major order. */
  readonly data: Uint8Array
}

const MAX_BYTES = 2 ** 31
const UBYTE = 8

/** Whether a path has the name of an IDX file. */
export function isIdx(path: string): boolean {
  checkArgument('isIdx', 'path', path, 'text')
  return /[-.]idx\d?(-ubyte)?(\.gz)?$/.test(path)
}

/** Reads an IDX file of unsigned bytes, compressed or not. @throws HeedError for a damaged file or another format */
export async function readIdx(path: string): Promise<IdxArray> {
  checkArgument('readIdx', 'path', path, 'text')
  const stored = await readFile(path).catch((error) => {
    throw fileError(error, 'read', path)
  })
  const zipped = stored[0] === 0x1f && stored[1] === 0x8b
  const bytes = zipped ? await unzip(stored, path) : stored
  const fail = (why: string): never => {
    throw new HeedError('corrupt-file', `${path} must be an IDX file, got ${why}`, {
      remedy:
        'An IDX file starts with 0, 0, 8 (for bytes) and the number of axes, followed by their sizes.',
    })
  }
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    throw wrongFormat(path, 'an IDX file', bytes)
  if (bytes[2] !== UBYTE) return fail(`numbers of type ${bytes[2]}`)
  const rank = bytes[3]
  const start = 4 + 4 * rank
  if (rank === 0 || bytes.length < start) return fail('no sizes')
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const count = shape.reduce((n, size) => n * size, 1)
  if (bytes.length - start !== count)
    return fail(`${bytes.length - start} bytes for sizes of ${shape.join(' x ')}`)
  return { shape, data: bytes.subarray(start) }
}

/**
 * Rows for the images of `…images-idx3-ubyte`, with labels from `…labels-idx1-ubyte` in the same folder if it exists.
 * Columns: image, label (a number).
 */
export function idxRows(path: string): RowSource {
  checkArgument('idxRows', 'path', path, 'text')
  const labelsPath = findLabels(path)
  return {
    columns: labelsPath ? ['image', 'label'] : ['image'],
    rows: () => readRows(path, labelsPath),
  }
}

async function* readRows(path: string, labelsPath: string | null): AsyncGenerator<Row> {
  const { shape, data } = await readIdx(path)
  const [count, height, width, channels = 1] = shape
  if (shape.length < 3 || shape.length > 4)
    throw new HeedError(
      'invalid-data',
      `${path} must hold images (count, height, width), got sizes of ${shape.join(' x ')}`,
      { remedy: 'Pass the file with the images, not the one with the labels.' },
    )
  const labels = labelsPath ? await readIdx(labelsPath) : null
  if (labels && labels.data.length !== count)
    throw new HeedError(
      'invalid-data',
      `${labelsPath} must have a label for each image (${count}), got ${labels.data.length}`,
      { remedy: 'Put the label file of these images into the same folder.' },
    )
  const size = height * width * channels
  for (let i = 0; i < count; i++) {
    const image = { width, height, channels, data: data.subarray(i * size, (i + 1) * size) }
    yield {
      values: labels ? { image, label: labels.data[i] } : { image },
      file: path,
      number: i + 1,
    }
  }
}

function findLabels(path: string): string | null {
  const name = path.replace(/images([-.])idx\d([^/\\]*)$/, 'labels$1idx1$2')
  const candidates = [name, name.endsWith('.gz') ? name.slice(0, -3) : `${name}.gz`]
  return name === path ? null : (candidates.find((candidate) => existsSync(candidate)) ?? null)
}

async function unzip(bytes: Uint8Array, path: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES })
  } catch (error) {
    throw new HeedError('corrupt-file', `${path} is damaged: ${(error as Error).message}`, {
      cause: error,
      remedy: 'Copy or download the file again.',
    })
  }
}
