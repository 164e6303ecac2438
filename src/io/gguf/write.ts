import type { FileHandle } from 'node:fs/promises'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { alternatives, HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { unknownName } from '../../util/registry.ts'
import { replaceFile } from '../files/atomic.ts'
import { quote } from '../files/file-error.ts'
import {
  type GGUFType,
  type GGUFValue,
  LEAST_BYTES,
  TENSOR_TYPES,
  VALUE_TYPES,
  type ValueType,
} from './types.ts'

/** A tensor for `writeGGUF`. */
export interface GGUFTensorToWrite {
  /** Name of the tensor, such as `blk.0.attn_q.weight`. */
  name: string
  /** Type of the elements or blocks of `data`, such as `f16` or `q8_0`. */
  type: GGUFType
  /** Shape, outermost axis first. */
  shape: readonly number[]
  /** The blocks of the type in row-major order, or a function that returns them on demand. */
  data: Uint8Array | (() => Promise<Uint8Array>)
}

const TENSOR = optionKinds<GGUFTensorToWrite>({
  name: 'text',
  type: 'text',
  shape: 'numbers',
  data: 'any',
})
const checkWriteGGUF = argumentKinds('writeGGUF', {
  path: 'text',
  metadata: 'record',
  tensors: 'list',
})

/**
 * Writes a GGUF file of version 3 atomically: if it fails, the old file is unchanged.
 * @throws HeedError for an unknown type, for data that does not match its shape, and if the file cannot be written
 */
export async function writeGGUF(
  path: string,
  metadata: Readonly<Record<string, GGUFValue>>,
  tensors: readonly GGUFTensorToWrite[],
): Promise<void> {
  checkWriteGGUF(path, metadata, tensors)
  for (const [key, value] of Object.entries(metadata))
    if (!VALUE_TYPES.includes(Object(value).type))
      throw invalidOption({
        owner: 'writeGGUF',
        key,
        value,
        expected: `{ type, value } with a type of ${alternatives(VALUE_TYPES)}`,
      })
  for (const tensor of tensors) {
    TENSOR.checkValues('writeGGUF', Object(tensor))
    if (!Object.hasOwn(TENSOR_TYPES, tensor.type))
      throw unknownName('GGUF type', tensor.type, Object.keys(TENSOR_TYPES))
  }
  const header = buildHeader(metadata, tensors)
  await replaceFile(path, async (handle) => {
    await writePadded(handle, header)
    for (const tensor of tensors) await writePadded(handle, await bytesOf(tensor, path))
  })
}

function buildHeader(
  metadata: Readonly<Record<string, GGUFValue>>,
  tensors: readonly GGUFTensorToWrite[],
): Uint8Array {
  const out = new ByteWriter()
  out.u32(0x46554747) // "GGUF"
  out.u32(3)
  out.u64(tensors.length)
  const entries = Object.entries(metadata)
  out.u64(entries.length)
  for (const [key, value] of entries) {
    out.text(key)
    out.u32(VALUE_TYPES.indexOf(value.type))
    writeValue(out, value)
  }
  let offset = 0
  for (const tensor of tensors) {
    out.text(tensor.name)
    out.u32(tensor.shape.length)
    for (const size of [...tensor.shape].reverse()) out.u64(size)
    out.u32(TENSOR_TYPES[tensor.type].id)
    out.u64(offset)
    offset += padded(sizeOf(tensor))
  }
  return out.bytes()
}

function writeValue(out: ByteWriter, value: GGUFValue): void {
  if (value.type !== 'array') {
    out.scalar(value.type, value.value)
    return
  }
  out.u32(VALUE_TYPES.indexOf(value.of))
  out.u64(value.value.length)
  for (const item of value.value)
    if (typeof item === 'object') writeValue(out, item)
    else out.scalar(value.of, item)
}

async function bytesOf(tensor: GGUFTensorToWrite, path: string): Promise<Uint8Array> {
  const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data
  if (data.length === sizeOf(tensor)) return data
  throw new HeedError(
    'invalid-option',
    `Cannot write ${path}: tensor ${quote(tensor.name)} must have ${sizeOf(tensor)} bytes for its shape [${tensor.shape}], got ${data.length}`,
    { key: tensor.name, value: data.length, remedy: 'Correct its shape, its type or its data.' },
  )
}

async function writePadded(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten
  await handle.write(new Uint8Array(padded(bytes.length) - bytes.length))
}

/** A growing buffer. */
class ByteWriter {
  private buffer = new Uint8Array(1 << 16)
  private view = new DataView(this.buffer.buffer)
  private length = 0

  u32(value: number): void {
    const at = this.grow(4) // may replace the view
    this.view.setUint32(at, value, true)
  }

  u64(value: number | bigint): void {
    const at = this.grow(8)
    this.view.setBigUint64(at, BigInt(value), true)
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value)
    this.u64(bytes.length)
    const at = this.grow(bytes.length)
    this.buffer.set(bytes, at)
  }

  scalar(type: ValueType, value: unknown): void {
    if (type === 'string') this.text(value as string)
    else if (type === 'u64' || type === 'i64') this.u64(BigInt.asUintN(64, BigInt(value as number)))
    else this.number(type, Number(value))
  }

  private number(type: ValueType, number: number): void {
    const at = this.grow(LEAST_BYTES[type])
    if (type === 'f32') this.view.setFloat32(at, number, true)
    else if (type === 'f64') this.view.setFloat64(at, number, true)
    else if (LEAST_BYTES[type] === 4) this.view.setUint32(at, number, true)
    else if (LEAST_BYTES[type] === 2) this.view.setUint16(at, number, true)
    else this.view.setUint8(at, number)
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  private grow(count: number): number {
    const at = this.length
    this.length += count
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(2 * this.length)
      larger.set(this.buffer)
      this.buffer = larger
      this.view = new DataView(larger.buffer)
    }
    return at
  }
}

const ALIGNMENT = 32
const padded = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT

function sizeOf({ type, shape }: GGUFTensorToWrite): number {
  const { elements, bytes } = TENSOR_TYPES[type]
  return (shape.reduce((n, d) => n * d, 1) / elements) * bytes
}
