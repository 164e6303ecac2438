import { HeedError, OutOfMemoryError } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import { fileError, quote } from '../files/file-error.ts'
import { fileFormat } from '../files/file-format.ts'
import { readFully, shrunk } from '../files/open-file.ts'
import { type DecodableType, decodable, decode } from './decode.ts'
import type { GGUFTensorEntry, GGUFTensorInfo } from './header.ts'
import type { GGUFMetadata } from './metadata.ts'
import { closeShards, type GGUFShard, openShards } from './shards.ts'
import { TENSOR_TYPES } from './types.ts'

export type { GGUFTensorInfo } from './header.ts'
export { GGUFMetadata, showValue } from './metadata.ts'
export type { GGUFType, GGUFValue } from './types.ts'

/** Whether a file is a GGUF file, whatever its name. */
export const isGGUF = async (path: string): Promise<boolean> => (await fileFormat(path)) === 'gguf'

/**
 * Opens a GGUF file of version 2 or 3, or a set of shards by its first file. Only the header is read; tensors are
 * read on demand. Call `close()` afterwards.
 * @throws HeedError for a truncated file, for invalid counts, lengths, types or offsets, and for a missing shard
 */
export const openGGUF = async (path: string): Promise<GGUFFile> =>
  new GGUFFile(path, await openShards(path))

/** Consecutive elements of a tensor, from index `start`. */
export interface GGUFPiece {
  /** Index of the first of these elements in the tensor. */
  start: number
  /** The same array is reused for each piece. Use it before requesting the next one. */
  values: Float32Array<ArrayBuffer>
}

/** A tensor and the shard that contains it. */
interface StoredTensor {
  entry: GGUFTensorEntry
  shard: GGUFShard
}

/** An open GGUF file, or a set of shards. See `openGGUF`. */
export class GGUFFile {
  /** Path of the file, or of the first shard. */
  readonly path: string
  /** Version of the format: 2 or 3. */
  readonly version: number
  /** The metadata, such as the architecture and the vocabulary. */
  readonly metadata: GGUFMetadata
  /** Names of all tensors, in the order of the file. */
  readonly names: readonly string[]
  private shards: readonly GGUFShard[]
  private readonly tensors: ReadonlyMap<string, StoredTensor>

  constructor(path: string, shards: readonly GGUFShard[]) {
    this.path = path
    this.shards = shards
    this.version = shards[0].header.version
    this.metadata = shards[0].header.metadata
    this.tensors = new Map(
      shards.flatMap((shard) =>
        [...shard.header.tensors].map(([name, entry]) => [name, { entry, shard }] as const),
      ),
    )
    this.names = [...this.tensors.keys()]
  }

  /** Whether the file has a tensor of this name. */
  has(name: string): boolean {
    return this.tensors.has(name)
  }

  /** Returns type, shape and size of a tensor. @throws HeedError for an unknown name */
  info(name: string): GGUFTensorInfo {
    return this.stored(name).entry
  }

  /** Reads the stored bytes: blocks of the tensor's type in row-major order. @throws HeedError for an unknown name */
  async readBlocks(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes } = this.stored(name).entry
    const out = this.allocate(name, () => new Uint8Array(bytes))
    await this.fill(name, out, 0)
    return out
  }

  /** Yields the values as float32 in pieces. Only one piece is in memory. */
  async *pieces(name: string): AsyncGenerator<GGUFPiece> {
    const { bytes } = this.stored(name).entry
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

  /** Reads all values as float32. @throws HeedError for an unknown name, or a type that cannot be decoded */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const count = this.stored(name).entry.shape.reduce((n, size) => n * size, 1)
    const out = this.allocate(name, () => new Float32Array(count))
    for await (const { start, values } of this.pieces(name)) out.set(values, start)
    return out
  }

  /** The type of a tensor. @throws HeedError if it cannot be decoded */
  decodableType(name: string): DecodableType {
    const { type } = this.stored(name).entry
    const known = decodable(type)
    if (known !== undefined) return known
    throw new HeedError(
      'unsupported',
      `Tensor ${quote(name)} in ${this.path} must have a supported type, got ${type.toUpperCase()}`,
      {
        key: name,
        value: type,
        remedy: 'Use another quantisation of the model, such as Q4_K_M or Q8_0.',
      },
    )
  }

  /** Closes all shards. Tensors can no longer be read. */
  async close(): Promise<void> {
    const { shards } = this
    this.shards = []
    await closeShards(shards)
  }

  private stored(name: string): StoredTensor {
    const stored = this.tensors.get(name)
    if (stored) return stored
    const near = nearestFirst(name, this.names).slice(0, 3)
    throw new HeedError(
      'unknown-name',
      `The name must be a tensor in ${this.path}, got ${quote(name)}`,
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
    const { entry, shard } = this.stored(name)
    if (this.shards.length === 0)
      throw new HeedError('invalid-state', `${this.path} must be open to read, got a closed file`, {
        key: name,
        remedy: 'Read all tensors before close().',
      })
    const position = shard.header.dataStart + entry.begin + offset
    try {
      if (await readFully(shard.handle, target, position)) return
    } catch (error) {
      throw fileError(error, `read tensor ${quote(name)} of`, shard.path)
    }
    throw shrunk(shard.path)
  }

  private allocate<T>(name: string, make: () => T): T {
    try {
      return make()
    } catch (cause) {
      throw new OutOfMemoryError(`Not enough memory for tensor ${quote(name)} in ${this.path}`, {
        key: name,
        remedy: 'Read it with pieces().',
        cause,
      })
    }
  }
}

const CHUNK_BLOCKS = 1 << 15
