import type { FileHandle } from 'node:fs/promises'
import { HeedError } from '../../util/errors.ts'
import { fileError, formatBytes, quote } from '../files/file-error.ts'
import { openForReading, readFully } from '../files/open-file.ts'
import type { TensorEntry, TensorInfo } from './header.ts'
import { type Header, headerLength, parseHeader } from './header.ts'
import { STORED_DTYPES, type TypedArray, toFloat32, toInt32 } from './stored-dtype.ts'

/** An open checkpoint, of one file or of several shards. */
export interface Safetensors {
  readonly path: string
  /** In the order of the file. */
  readonly names: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  has(name: string): boolean
  info(name: string): TensorInfo
  /** The elements as stored; f16 and bf16 as bit patterns, i64 as BigInt. */
  read(name: string): Promise<TypedArray>
  /** Any number type as float32. */
  read(name: string, options: { as: 'f32' }): Promise<Float32Array<ArrayBuffer>>
  /** Any integer type as int32; a value that does not fit is an error. */
  read(name: string, options: { as: 'i32' }): Promise<Int32Array<ArrayBuffer>>
  /** Any number type as float32, piece by piece: what a large tensor takes its values from. */
  pieces(name: string): AsyncGenerator<Piece>
  close(): Promise<void>
}

/** Some neighbouring elements of a tensor. */
export interface Piece {
  /** Index of the first, row-major. */
  start: number
  /** The same array each time: used up before the next piece is asked for. */
  values: Float32Array<ArrayBuffer>
}

/** Opens one `.safetensors` file. */
export async function openSafetensorsFile(path: string): Promise<Safetensors> {
  const { handle, size } = await openForReading(path)
  try {
    if (size < 8)
      throw new HeedError('corrupt-file', `${path} is not a safetensors file: it has ${size} bytes`)
    const prefix = await readBytes(handle, new Uint8Array(8), 0, path)
    const length = headerLength(prefix, size, path)
    const header = await readBytes(handle, new Uint8Array(length), 8, path)
    const dataStart = 8 + length
    return new SafetensorsFile(path, handle, dataStart, parseHeader(header, size - dataStart, path))
  } catch (error) {
    await handle.close()
    throw fileError(error, 'read', path)
  }
}

class SafetensorsFile implements Safetensors {
  readonly path: string
  readonly names: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  private readonly entries: ReadonlyMap<string, TensorEntry>
  private readonly dataStart: number
  private handle: FileHandle | undefined

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
    const array: new (length: number) => TypedArray = STORED_DTYPES[entry.dtype].array
    const raw = this.allocate(array, entry)
    await this.fill(raw, entry, 0)
    return raw
  }

  async *pieces(name: string): AsyncGenerator<Piece> {
    const entry = this.entries.get(name) ?? unknownTensor(name, this)
    const out = new Float32Array(Math.min(entry.bytes, CHUNK_ELEMENTS))
    for await (const { raw, start } of this.chunks(entry)) {
      const values = raw instanceof Float32Array ? raw : out.subarray(0, raw.length)
      this.convert(entry, raw, values)
      yield { start, values: values as Float32Array<ArrayBuffer> }
    }
  }

  private async readFloat32(entry: TensorEntry): Promise<Float32Array> {
    const out = this.allocate(Float32Array, entry)
    for await (const { raw, start } of this.chunks(entry))
      this.convert(entry, raw, out.subarray(start, start + raw.length))
    return out
  }

  private async readInt32(entry: TensorEntry): Promise<Int32Array> {
    const out = this.allocate(Int32Array, entry)
    for await (const { raw, start } of this.chunks(entry)) {
      const misfit = toInt32(entry.dtype, raw, out.subarray(start, start + raw.length))
      if (misfit === undefined)
        this.refuse(entry, `cannot be read as i32, its dtype is ${entry.dtype}`)
      if (misfit >= 0)
        this.refuse(entry, `holds ${raw[misfit]} at element ${start + misfit}, too large for i32`)
    }
    return out
  }

  /** Reads into the same array again and again: a conversion needs little memory beside its result. */
  private async *chunks(entry: TensorEntry): AsyncGenerator<{ raw: TypedArray; start: number }> {
    const { array, bytes } = STORED_DTYPES[entry.dtype]
    const count = entry.bytes / bytes
    const chunk = new array(Math.min(count, CHUNK_ELEMENTS))
    for (let start = 0; start < count; start += chunk.length) {
      const raw = chunk.subarray(0, Math.min(chunk.length, count - start))
      await this.fill(raw, entry, start * bytes)
      yield { raw, start }
    }
    if (count === 0) yield { raw: chunk, start: 0 } // a refusal must not depend on the size
  }

  private convert(entry: TensorEntry, raw: TypedArray, out: Float32Array): void {
    if (raw !== out && !toFloat32(entry.dtype, raw, out))
      this.refuse(entry, `cannot be read as f32, its dtype is ${entry.dtype}`)
  }

  private async fill(target: TypedArray, entry: TensorEntry, offset: number): Promise<void> {
    if (this.handle === undefined) this.refuse(entry, 'cannot be read, the file has been closed')
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    const position = this.dataStart + entry.begin + offset
    try {
      if (await readFully(this.handle, bytes, position)) return
    } catch (error) {
      throw fileError(error, `read tensor ${quote(entry.name)} of`, this.path)
    }
    this.refuse(entry, `cannot be read, the file ends before byte ${position + bytes.length}`)
  }

  private allocate<T extends TypedArray>(array: new (length: number) => T, entry: TensorEntry): T {
    const count = entry.bytes / STORED_DTYPES[entry.dtype].bytes
    try {
      return new array(count)
    } catch (cause) {
      const message = `${this.path}: there is no memory for tensor ${quote(entry.name)}`
      throw new HeedError(
        'corrupt-file',
        `${message} ([${entry.shape}], ${formatBytes(entry.bytes)})`,
        { cause },
      )
    }
  }

  private refuse(entry: TensorEntry, problem: string): never {
    throw new HeedError('unknown-name', `${this.path}: tensor ${quote(entry.name)} ${problem}`)
  }
}

/** Fails with the name that was probably meant: prefixes such as `transformer.` come and go. */
export function unknownTensor(
  name: string,
  file: { path: string; names: readonly string[] },
): never {
  const near = file.names.find((n) => n.endsWith(`.${name}`) || name.endsWith(`.${n}`))
  const some = file.names.slice(0, 3).map(quote).join(', ')
  const remedy = near ? `Did you mean ${quote(near)}?` : `It holds ${file.names.length}: ${some} …`
  throw new HeedError('corrupt-file', `${file.path} has no tensor ${quote(name)}`, { remedy })
}

const CHUNK_ELEMENTS = 1 << 20

async function readBytes(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  path: string,
): Promise<Uint8Array> {
  if (await readFully(handle, target, position)) return target
  throw new HeedError('corrupt-file', `cannot read ${path}: it became shorter while it was read`)
}
