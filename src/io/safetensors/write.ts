import type { FileHandle } from 'node:fs/promises'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { f32ToBf16, f32ToF16 } from '../../util/float16.ts'
import { optionKinds } from '../../util/options.ts'
import { unknownName } from '../../util/registry.ts'
import { replaceFile } from '../files/atomic.ts'
import { quote } from '../files/file-error.ts'
import { isStoredDType, STORED_DTYPES, type StoredDType, type TypedArray } from './stored-dtype.ts'

/** A tensor for `saveSafetensors`. */
export interface TensorToWrite {
  /** Name of the tensor, such as `h.0.attn.c_attn.weight`. */
  name: string
  /** Type of the elements in the file. */
  dtype: StoredDType
  /** Shape, outermost axis first. */
  shape: readonly number[]
  /**
   * The elements, or a function that returns them on demand, so that only one tensor is in memory at a time. They may
   * be in the array type of the dtype, a Float32Array for f16 and bf16, a Float64Array for f16, bf16 and f32, or an
   * Int32Array for i64.
   */
  data: TypedArray | (() => Promise<TypedArray>)
}

/**
 * Writes a safetensors file atomically: if it fails, the old file is unchanged.
 * @throws HeedError for duplicate names, for data that does not match its shape or dtype, and if writing fails
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Record<string, string> = {},
): Promise<void> {
  checkArgument('writeSafetensors', 'metadata', metadata, 'textRecord')
  // Wide elements first, so that every tensor starts at a multiple of its element size.
  const ordered = tensorList('writeSafetensors', tensors).sort(
    (a, b) => elementBytes(b) - elementBytes(a),
  )
  const header = buildHeader(path, ordered, metadata)
  await replaceFile(path, async (handle) => {
    await writeFully(handle, header)
    for (const tensor of ordered) await writeTensor(handle, tensor, path)
  })
}

const TENSOR = optionKinds<TensorToWrite>({
  name: 'text',
  dtype: 'text',
  shape: 'numbers',
  data: 'any',
})

/** Copies the tensors to a list. @throws HeedError for an invalid tensor */
export function tensorList(owner: string, tensors: Iterable<TensorToWrite>): TensorToWrite[] {
  checkArgument(owner, 'tensors', tensors, 'iterable')
  const list = [...tensors]
  for (const tensor of list) {
    TENSOR.checkValues(owner, Object(tensor))
    if (!isStoredDType(tensor.dtype))
      throw unknownName('dtype', tensor.dtype, Object.keys(STORED_DTYPES))
  }
  return list
}

function buildHeader(
  path: string,
  tensors: TensorToWrite[],
  metadata: Record<string, string>,
): Uint8Array {
  const entries: [string, unknown][] = []
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata])
  const taken = new Set(['__metadata__', '__proto__'])
  let offset = 0
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor
    if (taken.has(name))
      throw new HeedError(
        'invalid-option',
        `Tensor names in ${path} must be unique and not reserved, got ${quote(name)}`,
        { key: 'name', value: name, remedy: 'Rename the tensor.' },
      )
    taken.add(name)
    const end = offset + tensorBytes(tensor)
    entries.push([name, { dtype: dtype.toUpperCase(), shape, data_offsets: [offset, end] }])
    offset = end
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20, 8)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  return header
}

async function writeTensor(handle: FileHandle, tensor: TensorToWrite, path: string): Promise<void> {
  const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data
  const refuse = (problem: string, remedy: string): never => {
    throw new HeedError(
      'invalid-option',
      `Cannot write ${path}: tensor ${quote(tensor.name)} ${problem}`,
      { key: tensor.name, remedy },
    )
  }
  if (data.length !== count(tensor)) {
    refuse(
      `must have ${count(tensor)} elements for its shape [${tensor.shape}], got ${data.length}`,
      'Correct its shape or its data.',
    )
  }
  for (let start = 0; start < data.length; start += CHUNK_ELEMENTS) {
    const chunk = data.subarray(start, start + CHUNK_ELEMENTS)
    await writeFully(handle, encode(chunk, tensor.dtype, refuse))
  }
}

type Refuse = (problem: string, remedy: string) => never

function encode(data: TypedArray, dtype: StoredDType, refuse: Refuse): TypedArray {
  if (data instanceof STORED_DTYPES[dtype].array) return data
  if (data instanceof Float32Array && (dtype === 'f16' || dtype === 'bf16'))
    return narrow(data, dtype, refuse)
  if (data instanceof Float64Array && ['f32', 'f16', 'bf16'].includes(dtype))
    return encode(Float32Array.from(data), dtype, refuse)
  if (data instanceof Int32Array && dtype === 'i64') return BigInt64Array.from(data, BigInt)
  return refuse(
    `must be an array that can be stored as ${dtype}, got a ${data.constructor.name}`,
    `Convert it to ${STORED_DTYPES[dtype].array.name}.`,
  )
}

/** Rounds to the nearest 16-bit float, ties to even. Throws for values that would become infinite. */
function narrow(data: Float32Array, dtype: 'f16' | 'bf16', refuse: Refuse): Uint16Array {
  const [bits, infinity, limit] =
    dtype === 'f16' ? [f32ToF16(data), 0x7c00, 65504] : [f32ToBf16(data), 0x7f80, 3.3895e38]
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7fff) === infinity && Number.isFinite(data[i])) {
      const remedy = `Save it as ${dtype === 'f16' ? 'bf16 or f32' : 'f32'}.`
      refuse(`must be within ±${limit}, the range of ${dtype}, got ${data[i]}`, remedy)
    }
  }
  return bits
}

async function writeFully(handle: FileHandle, data: TypedArray): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten
  }
}

const CHUNK_ELEMENTS = 1 << 22

/** Size of a tensor in the file in bytes. */
export function tensorBytes(tensor: TensorToWrite): number {
  return count(tensor) * elementBytes(tensor)
}

function elementBytes(tensor: TensorToWrite): number {
  return STORED_DTYPES[tensor.dtype].bytes
}

function count(tensor: TensorToWrite): number {
  return tensor.shape.reduce((product, size) => product * size, 1)
}
