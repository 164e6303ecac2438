import type { FileHandle } from 'node:fs/promises'
import { HeedError, OutOfMemoryError } from '../../util/errors.ts'
import { Crc32 } from '../files/crc32.ts'
import { fileError, formatBytes, quote } from '../files/file-error.ts'
import { openForReading, readFully, shrunk } from '../files/open-file.ts'
import { gather } from './gather.ts'
import type { TensorEntry, TensorInfo } from './header.ts'
import { type Header, headerLength, parseHeader } from './header.ts'
import {
  isStoredDType,
  STORED_DTYPES,
  type StoredDType,
  type TypedArray,
  toFloat32,
  toInt32,
} from './stored-dtype.ts'

/** An open checkpoint: one file or several shards. */
export interface Safetensors {
  /** Path of the file, or of the index of the shards. */
  readonly path: string
  /** Names of all tensors, in the order of the file. */
  readonly names: readonly string[]
  /** The strings of `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>
  /** Whether the checkpoint has a tensor of this name. */
  has(name: string): boolean
  /** Returns dtype and shape of a tensor. @throws HeedError for an unknown name */
  info(name: string): TensorInfo
  /** Reads the elements as stored: f16 and bf16 as bit patterns, i64 as bigint. @throws HeedError for unknown names */
  read(name: string): Promise<TypedArray>
  /** Reads any number type as float32. */
  read(name: string, options: { as: 'f32' }): Promise<Float32Array<ArrayBuffer>>
  /** Reads any integer type as int32. @throws HeedError for a value that does not fit */
  read(name: string, options: { as: 'i32' }): Promise<Int32Array<ArrayBuffer>>
  /** Yields any number type as float32 in pieces, for large tensors. */
  pieces(name: string): AsyncGenerator<Piece>
  /** Closes all files. Tensors can no longer be read. */
  close(): Promise<void>
}

/** Consecutive elements of a tensor. */
export interface Piece {
  /** Row-major index of the first element. */
  start: number
  /** The same array is reused for each piece. Use it before requesting the next one. */
  values: Float32Array<ArrayBuffer>
}

/** Opens one `.safetensors` file. @throws HeedError for a damaged file */
export async function openSafetensorsFile(path: string): Promise<Safetensors> {
  const { handle, size } = await openForReading(path)
  try {
    if (size < 8)
      throw new HeedError(
        'corrupt-file',
        `${path} must be a safetensors file of at least 8 bytes, got ${size} bytes`,
        { value: path, remedy: 'Download or save it again.' },
      )
    const prefix = await readBytes(handle, new Uint8Array(8), 0, path)
    const length = headerLength(prefix, size, path)
    const header = await readBytes(handle, new Uint8Array(length), 8, path)
    const dataStart = 8 + length
    return new TensorFile(path, handle, dataStart, parseHeader(header, size - dataStart, path))
  } catch (error) {
    await handle.close()
    throw fileError(error, 'read', path)
  }
}

/** Tensors in one file, at the positions of a header. */
export class TensorFile implements Safetensors {
  readonly path: string
  readonly names: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  private readonly entries: ReadonlyMap<string, TensorEntry>
  private readonly dataStart: number
  private handle: FileHandle | undefined
  /** Starts of the ranges whose checksums have been verified. */
  private readonly verified = new Set<number>()

  constructor(path: string, handle: FileHandle, dataStart: number, header: Header) {
    this.path = path
    this.handle = handle
    this.dataStart = dataStart
    this.entries = header.entries
    this.names = [...header.entries.keys()]
    this.metadata = header.metadata
  }

  has(name: string): boolean {
    return this.entries.has(name)
  }

  info(name: string): TensorInfo {
    return this.entries.get(name) ?? unknownTensor(name, this)
  }

  read(name: string): Promise<TypedArray>
  read(name: string, options: { as: 'f32' }): Promise<Float32Array<ArrayBuffer>>
  read(name: string, options: { as: 'i32' }): Promise<Int32Array<ArrayBuffer>>
  async read(name: string, options: { as?: 'f32' | 'i32' } = {}): Promise<TypedArray> {
    const entry = this.entries.get(name) ?? unknownTensor(name, this)
    if (options.as === undefined || options.as === entry.dtype) return this.readRaw(entry)
    return options.as === 'f32' ? this.readFloat32(entry) : this.readInt32(entry)
  }

  async close(): Promise<void> {
    const handle = this.handle
    this.handle = undefined
    await handle?.close()
  }

  private async readRaw(entry: TensorEntry): Promise<TypedArray> {
    const array: new (length: number) => TypedArray = STORED_DTYPES[this.dtypeOf(entry)].array
    const raw = this.allocate(array, entry)
    await this.verify(entry)
    if (entry.strides)
      gather(await this.spanOf(entry, entry.strides), raw, 0, entry.shape, entry.strides)
    else await this.fill(raw, entry, 0)
    return raw
  }

  async *pieces(name: string): AsyncGenerator<Piece> {
    const entry = this.entries.get(name) ?? unknownTensor(name, this)
    const dtype = this.dtypeOf(entry)
    const out = new Float32Array(Math.min(entry.bytes, CHUNK_ELEMENTS))
    for await (const { raw, start } of this.chunks(entry)) {
      const values = raw instanceof Float32Array ? raw : out.subarray(0, raw.length)
      toFloat32(dtype, raw, values)
      yield { start, values: values as Float32Array<ArrayBuffer> }
    }
  }

  private async readFloat32(entry: TensorEntry): Promise<Float32Array> {
    const dtype = this.dtypeOf(entry)
    const out = this.allocate(Float32Array, entry)
    for await (const { raw, start } of this.chunks(entry))
      toFloat32(dtype, raw, out.subarray(start, start + raw.length))
    return out
  }

  private async readInt32(entry: TensorEntry): Promise<Int32Array> {
    const dtype = this.dtypeOf(entry)
    const out = this.allocate(Int32Array, entry)
    for await (const { raw, start } of this.chunks(entry)) {
      const misfit = toInt32(dtype, raw, out.subarray(start, start + raw.length))
      if (misfit === undefined)
        throw this.notReadable(
          entry,
          'an integer type to be read as i32',
          'Read the tensor without `as`.',
        )
      if (misfit >= 0)
        throw new HeedError(
          'unsupported',
          `The values of ${this.nameOf(entry)} must fit in i32, got ${raw[misfit]} at element ${start + misfit}`,
          { key: entry.name, value: raw[misfit], remedy: 'Read the tensor without `as`.' },
        )
    }
    return out
  }

  /** Reads into the same array repeatedly, so that a conversion needs little memory besides its result. */
  private async *chunks(entry: TensorEntry): AsyncGenerator<{ raw: TypedArray; start: number }> {
    const { array, bytes } = STORED_DTYPES[this.dtypeOf(entry)]
    const count = entry.bytes / bytes
    await this.verify(entry)
    const elements = entry.strides && (await this.spanOf(entry, entry.strides))
    const chunk = new array(Math.min(count, CHUNK_ELEMENTS))
    for (let start = 0; start < count; start += chunk.length) {
      const raw = chunk.subarray(0, Math.min(chunk.length, count - start))
      if (elements) gather(elements, raw, start, entry.shape, entry.strides ?? [])
      else await this.fill(raw, entry, start * bytes)
      yield { raw, start }
    }
    if (count === 0) yield { raw: chunk, start: 0 } // check empty tensors too
  }

  /** Reads the range from the first to the last element, including elements of other tensors in between. */
  private async spanOf(entry: TensorEntry, strides: readonly number[]): Promise<TypedArray> {
    const { array } = STORED_DTYPES[this.dtypeOf(entry)]
    const last = entry.shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], 0)
    const span = new array(entry.shape.includes(0) ? 0 : last + 1)
    await this.fill(span, entry, 0)
    return span
  }

  private async verify({ name, checked }: TensorEntry): Promise<void> {
    if (!checked || this.verified.has(checked.begin)) return
    const crc = new Crc32()
    const range = { name, begin: checked.begin }
    const chunk = new Uint8Array(Math.min(checked.bytes, 4 * CHUNK_ELEMENTS))
    for (let start = 0; start < checked.bytes; start += chunk.length) {
      const bytes = chunk.subarray(0, Math.min(chunk.length, checked.bytes - start))
      await this.fill(bytes, range, start)
      crc.update(bytes)
    }
    if (crc.value !== checked.crc)
      throw new HeedError(
        'corrupt-file',
        `The bytes of tensor ${quote(name)} in ${this.path} must match the checksum in the file`,
        { key: name, value: crc.value, remedy: 'Download or save it again.' },
      )
    this.verified.add(checked.begin)
  }

  private async fill(
    target: TypedArray,
    entry: Pick<TensorEntry, 'name' | 'begin'>,
    offset: number,
  ): Promise<void> {
    if (this.handle === undefined)
      throw new HeedError('invalid-state', `${this.path} must be open to read, got a closed file`, {
        key: entry.name,
        remedy: 'Read all tensors before close().',
      })
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    const position = this.dataStart + entry.begin + offset
    try {
      if (await readFully(this.handle, bytes, position)) return
    } catch (error) {
      throw fileError(error, `read tensor ${quote(entry.name)} of`, this.path)
    }
    throw shrunk(this.path)
  }

  private allocate<T extends TypedArray>(array: new (length: number) => T, entry: TensorEntry): T {
    const count = entry.bytes / STORED_DTYPES[this.dtypeOf(entry)].bytes
    try {
      return new array(count)
    } catch (cause) {
      throw new OutOfMemoryError(
        `Not enough memory for ${this.nameOf(entry)} ([${entry.shape}], ${formatBytes(entry.bytes)})`,
        { key: entry.name, value: entry.bytes, remedy: 'Read it with pieces().', cause },
      )
    }
  }

  /** @throws HeedError for a type that cannot be read. Other tensors of the file can. */
  private dtypeOf(entry: TensorEntry): StoredDType {
    if (isStoredDType(entry.dtype)) return entry.dtype
    const expected = `one of ${Object.keys(STORED_DTYPES).join(', ')}`
    throw this.notReadable(
      entry,
      expected,
      'Convert this tensor in Python. Heed can read the others.',
    )
  }

  private notReadable(entry: TensorEntry, expected: string, remedy: string): HeedError {
    return new HeedError(
      'unsupported',
      `The dtype of ${this.nameOf(entry)} must be ${expected}, got ${entry.dtype}`,
      { key: entry.name, value: entry.dtype, expected, remedy },
    )
  }

  private nameOf({ name }: TensorEntry): string {
    return `tensor ${quote(name)} in ${this.path}`
  }
}

/** Throws a HeedError that suggests a name with or without a prefix such as `transformer.`. */
export function unknownTensor(
  name: string,
  file: { path: string; names: readonly string[] },
): never {
  const near = file.names.find((n) => n.endsWith(`.${name}`) || name.endsWith(`.${n}`))
  const some = file.names.slice(0, 3).map(quote).join(', ')
  throw new HeedError(
    'unknown-name',
    `The name must be a tensor in ${file.path}, got ${quote(name)}`,
    {
      key: 'name',
      value: name,
      try: { name: near ? [near] : file.names.slice(0, 3) },
      remedy: near
        ? `Did you mean ${quote(near)}?`
        : `The file has ${file.names.length} tensors: ${some} …`,
    },
  )
}

const CHUNK_ELEMENTS = 1 << 20

async function readBytes(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  path: string,
): Promise<Uint8Array> {
  if (await readFully(handle, target, position)) return target
  throw shrunk(path)
}
