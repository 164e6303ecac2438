import type { FileHandle } from 'node:fs/promises'
import { alternatives, HeedError, OutOfMemoryError } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import { fileError, quote } from '../files/file-error.ts'
import { openForReading, readFully, shrunk } from '../files/open-file.ts'
import { NeedMoreBytes } from './cursor.ts'
import { type DecodableType, decodableTypes, decode, isDecodable } from './decode.ts'
import { type GGUFHeader, type GGUFTensorInfo, parseHeader } from './header.ts'
import type { GGUFMetadata } from './metadata.ts'
import { TENSOR_TYPES } from './types.ts'

export type { GGUFTensorInfo } from './header.ts'
export { GGUFMetadata, showValue } from './metadata.ts'
export type { GGUFType, GGUFValue } from './types.ts'

/** Whether a path is the name of a GGUF file. */
export const isGGUF = (path: string): boolean => path.toLowerCase().endsWith('.gguf')

/**
 * Opens a GGUF file of version 2 or 3. The header is read and checked; tensors are read on request. Call close() in
 * the end.
 * @throws HeedError for a file that is truncated, or has wrong counts, lengths, types or offsets
 */
export async function openGGUF(path: string): Promise<GGUFFile> {
  const { handle, size } = await openForReading(path)
  try {
    return new GGUFFile(path, handle, await readHeader(handle, size, path))
  } catch (error) {
    await handle.close()
    throw fileError(error, 'read', path)
  }
}

/** Consecutive elements of a tensor, from index `start`. */
interface Piece {
  start: number
  /** The same array for each piece: use it before asking for the next. */
  values: Float32Array<ArrayBuffer>
}

export class GGUFFile {
  readonly path: string
  readonly version: number
  readonly metadata: GGUFMetadata
  /** In the order of the file. */
  readonly names: readonly string[]
  private readonly header: GGUFHeader
  private handle: FileHandle | undefined

  constructor(path: string, handle: FileHandle, header: GGUFHeader) {
    this.path = path
    this.handle = handle
    this.header = header
    this.version = header.version
    this.metadata = header.metadata
    this.names = [...header.tensors.keys()]
  }

  has(name: string): boolean {
    return this.header.tensors.has(name)
  }

  info(name: string): GGUFTensorInfo {
    return this.entry(name)
  }

  /** The stored bytes: blocks of the tensor's type, row by row. */
  async readBlocks(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes } = this.entry(name)
    const out = this.allocate(name, () => new Uint8Array(bytes))
    await this.fill(name, out, 0)
    return out
  }

  /** The values as float32 in pieces, of which one is in memory. */
  async *pieces(name: string): AsyncGenerator<Piece> {
    const { bytes } = this.entry(name)
    const type = this.decodableType(name)
    const block = TENSOR_TYPES[type]
    const stored = new Uint8Array(Math.min(bytes, CHUNK_BLOCKS * block.bytes))
    const values = new Float32Array((stored.length / block.bytes) * block.elements)
    for (let at = 0; at < bytes; at += stored.length) {
      const chunk = stored.subarray(0, Math.min(stored.length, bytes - at))
      await this.fill(name, chunk, at)
      const decoded = values.subarray(0, (chunk.length / block.bytes) * block.elements)
      decode(type, chunk, decoded)
      yield { start: (at / block.bytes) * block.elements, values: decoded }
    }
  }

  /** All values as float32. */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const count = this.entry(name).shape.reduce((n, size) => n * size, 1)
    const out = this.allocate(name, () => new Float32Array(count))
    for await (const { start, values } of this.pieces(name)) out.set(values, start)
    return out
  }

  /** @throws HeedError that names the type of a tensor which cannot be decoded */
  decodableType(name: string): DecodableType {
    const { type } = this.entry(name)
    if (isDecodable(type)) return type
    throw new HeedError(
      'unsupported',
      `The type of tensor ${quote(name)} in ${this.path} must be one that Heed can decode, got ${type.toUpperCase()}`,
      {
        key: name,
        value: type,
        remedy: `Use a file with ${alternatives(decodableTypes.map((t) => t.toUpperCase()))}.`,
      },
    )
  }

  async close(): Promise<void> {
    const { handle } = this
    this.handle = undefined
    await handle?.close()
  }

  private entry(name: string) {
    const entry = this.header.tensors.get(name)
    if (entry) return entry
    const near = nearestFirst(name, this.names).slice(0, 3)
    throw new HeedError(
      'unknown-name',
      `The name must be that of a tensor in ${this.path}, got ${quote(name)}`,
      {
        key: 'name',
        value: name,
        try: { name: near },
        remedy:
          near.length > 0
            ? `The most similar names: ${near.map(quote).join(', ')}.`
            : 'The file has no tensors.',
      },
    )
  }

  private async fill(name: string, target: Uint8Array, offset: number): Promise<void> {
    const { handle } = this
    if (handle === undefined)
      throw new HeedError('invalid-state', `${this.path} must be open to read, got a closed file`, {
        key: name,
        remedy: 'Read all tensors before close().',
      })
    const position = this.header.dataStart + this.entry(name).begin + offset
    try {
      if (await readFully(handle, target, position)) return
    } catch (error) {
      throw fileError(error, `read tensor ${quote(name)} of`, this.path)
    }
    throw shrunk(this.path)
  }

  private allocate<T>(name: string, make: () => T): T {
    try {
      return make()
    } catch (cause) {
      throw new OutOfMemoryError(`No memory for tensor ${quote(name)} in ${this.path}`, {
        key: name,
        remedy: 'Read it with pieces().',
        cause,
      })
    }
  }
}

/** The length of the header is not known, so four times as much is read each time until it is complete. */
async function readHeader(handle: FileHandle, size: number, path: string): Promise<GGUFHeader> {
  for (let length = Math.min(size, FIRST_READ); ; length = Math.min(size, 4 * length)) {
    const bytes = new Uint8Array(length)
    if (!(await readFully(handle, bytes, 0))) throw shrunk(path)
    try {
      return parseHeader(bytes, size, path)
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error
    }
  }
}

const FIRST_READ = 1 << 20
const CHUNK_BLOCKS = 1 << 15
