// File format for encoded examples: the bytes that `Packer` writes for each; the size in bytes and the length for
// bucketing of each, as u32; a JSON footer; the size of the footer as u32. Numbers are little-endian. The footer has
// a SHA-256 of everything before it.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import { replaceFile } from '../../io/files/atomic.ts'
import { parseJson } from '../../io/files/json.ts'
import { openForReading, readFully } from '../../io/files/open-file.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { HOLD, type HoldOptions } from '../token-files.ts'
import { readExactly } from '../token-source.ts'
import { checkPacked, type Examples, type PackedExamples } from './examples.ts'
import { unpack } from './pack.ts'

const checkWrite = argumentKinds('writeExamples', { path: 'text', key: 'text', packed: 'stream' })
const checkOpen = argumentKinds('openExamples', { path: 'text', key: 'text', options: HOLD })

/** Writes a file of examples. An older file is replaced atomically after the new one is complete. */
export async function writeExamples(
  path: string,
  key: string,
  packed: AsyncIterable<PackedExamples>,
): Promise<void> {
  checkWrite(path, key, packed)
  await replaceFile(path, async (handle) => {
    const hash = createHash('sha256')
    const write = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes)
      await handle.writeFile(bytes)
    }
    const sizes: Uint32Array[] = []
    const lengths: Uint32Array[] = []
    let bytes = 0
    for await (const part of packed) {
      checkPacked(part)
      await write(part.bytes)
      sizes.push(part.sizes)
      lengths.push(part.lengths)
      bytes += part.bytes.length
    }
    const count = sizes.reduce((sum, { length }) => sum + length, 0)
    for (const part of [...sizes, ...lengths]) await write(bytesOf(part))
    const footer = { format: FORMAT, version: VERSION, key, count, bytes }
    const text = Buffer.from(JSON.stringify({ ...footer, sha256: hash.digest('hex') }))
    await handle.writeFile(text)
    await handle.writeFile(bytesOf(Uint32Array.of(text.length)))
  })
}

/** Examples in a file. Each is read on access. */
export interface StoredExamples<E> extends Examples<E> {
  readonly lengths: Uint32Array
  /** Closes the file. Examples can no longer be read. */
  close(): Promise<void>
}

/**
 * Verifies and opens a file of examples. Small files are kept in memory; of large ones, only the sizes of the examples.
 * @returns undefined if the file is missing, damaged, or has another key
 * @throws HeedError if the file is not readable or is a folder
 */
export async function openExamples<E>(
  path: string,
  key: string,
  options: HoldOptions = {},
): Promise<StoredExamples<E> | undefined> {
  checkOpen(path, key, options)
  const { maxBytesInMemory = 256 << 20 } = options
  let handle: FileHandle | undefined
  try {
    const opened = await openForReading(path)
    handle = opened.handle
    const { count, bytes, sha256 } = await readFooter(handle, opened.size, key)
    const held = bytes <= maxBytesInMemory ? new Uint8Array(bytes) : undefined
    const hash = createHash('sha256')
    for await (const piece of piecesOf(handle, held ?? bytes)) hash.update(piece)
    const [sizes, lengths] = [new Uint32Array(count), new Uint32Array(count)]
    await fill(handle, bytesOf(sizes), bytes)
    await fill(handle, bytesOf(lengths), bytes + 4 * count)
    const starts = startsOf(sizes)
    const sound = starts[count] === bytes
    hash.update(bytesOf(sizes)).update(bytesOf(lengths))
    if (!sound || hash.digest('hex') !== sha256)
      throw new HeedError('corrupt-file', `${path} is damaged`)
    if (held) return new FileExamples<E>(starts, lengths, held)
    const file = new FileExamples<E>(starts, lengths, { path, handle })
    handle = undefined // the file closes it
    return file
  } catch (error) {
    if (error instanceof HeedError && error.code !== 'file-system') return undefined
    throw error
  } finally {
    await handle?.close()
  }
}

const FORMAT = 'heed-examples'
const VERSION = 1
const LONGEST_FOOTER = 4096
const PIECE = 1 << 22

const count = z.number().int().nonnegative()

const footerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  key: z.string(),
  count: count.max(2 ** 31),
  /** Total size of the examples. */
  bytes: count,
  sha256: z.string(),
})

async function readFooter(handle: FileHandle, size: number, key: string) {
  const length = new Uint32Array(1)
  if (size < 4) throw new HeedError('corrupt-file', 'The file is too short')
  await fill(handle, bytesOf(length), size - 4)
  if (length[0] > Math.min(LONGEST_FOOTER, size - 4))
    throw new HeedError('corrupt-file', 'The file is truncated')
  const text = Buffer.alloc(length[0])
  await fill(handle, text, size - 4 - text.length)
  const { data } = footerSchema.safeParse(parseJson(text.toString(), 'the end of the file'))
  if (data?.key !== key || data.bytes + 8 * data.count + text.length + 4 !== size)
    throw new HeedError('corrupt-file', 'The file holds other examples')
  return data
}

/** Yields the first bytes of a file; `target` is an array to fill, or only their number. */
async function* piecesOf(
  handle: FileHandle,
  target: Uint8Array | number,
): AsyncGenerator<Uint8Array> {
  const held = typeof target === 'number' ? undefined : target
  const total = typeof target === 'number' ? target : target.length
  const buffer = held ?? new Uint8Array(Math.min(PIECE, total))
  for (let start = 0; start < total; start += PIECE) {
    const from = held ? start : 0
    const piece = buffer.subarray(from, from + Math.min(PIECE, total - start))
    await fill(handle, piece, start)
    yield piece
  }
}

async function fill(handle: FileHandle, target: Uint8Array, position: number): Promise<void> {
  if (!(await readFully(handle, target, position)))
    throw new HeedError('corrupt-file', 'The file is truncated')
}

function startsOf(sizes: Uint32Array): Float64Array {
  const starts = new Float64Array(sizes.length + 1)
  sizes.forEach((size, i) => {
    starts[i + 1] = starts[i] + size
  })
  return starts
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

class FileExamples<E> implements StoredExamples<E> {
  readonly length: number
  readonly lengths: Uint32Array
  private readonly starts: Float64Array
  private readonly from: Uint8Array | { path: string; handle: FileHandle }

  constructor(starts: Float64Array, lengths: Uint32Array, from: FileExamples<E>['from']) {
    this.length = lengths.length
    this.lengths = lengths
    this.starts = starts
    this.from = from
  }

  at(index: number): E | undefined {
    if (!(index >= 0 && index < this.length)) return undefined
    const [start, end] = [this.starts[index], this.starts[index + 1]]
    if (this.from instanceof Uint8Array) return unpack(this.from.subarray(start, end)) as E
    const bytes = new Uint8Array(end - start)
    const { path, handle } = this.from
    readExactly({ path, file: handle.fd }, bytes, start)
    return unpack(bytes) as E
  }

  async close(): Promise<void> {
    if (!(this.from instanceof Uint8Array)) await this.from.handle.close()
  }
}
