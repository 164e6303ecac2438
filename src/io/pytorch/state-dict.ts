// Reads the tensors of a state dict, with the position of their data, from a pickle of torch.save.
import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'
import type { KnownDType } from '../safetensors/stored-dtype.ts'
import { type PickledFunction, Tuple, unpickle } from './pickle.ts'

/** A one-dimensional array of numbers, which several tensors may share. */
export interface Storage {
  /** Name of its entry in `data/`. */
  readonly key: string
  readonly dtype: KnownDType
  /** Number of elements. */
  readonly size: number
}

/** A tensor whose element (i, j, …) is at index `offset + i·strides[0] + j·strides[1] + …` of its storage. */
export class StridedTensor {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]

  constructor(
    storage: Storage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

/**
 * Reads the tensors of a state dict by name.
 * @throws HeedError that names the global or entry that does not belong to a state dict
 */
export function readStateDict(pickle: Uint8Array, path: string): Map<string, StridedTensor> {
  const fail = (problem: string): never => {
    throw new HeedError('corrupt-file', `${path} must be a state dict of tensors, but ${problem}`, {
      value: path,
      remedy:
        'Save only the state dict with torch.save(model.state_dict(), path), or use safetensors.',
    })
  }
  const root = unpickle(pickle, path, {
    global: (name) => globalOf(name, path, fail),
    persistent: (id) => storageOf(id, fail),
  })
  if (!(root instanceof Map)) return fail('it contains another object')
  const tensors = new Map<string, StridedTensor>()
  for (const [name, value] of root) {
    if (typeof name !== 'string') return fail('one of its keys is not a string')
    if (!(value instanceof StridedTensor))
      return fail(`${quote(name)} is ${kindOf(value)}, not a tensor`)
    tensors.set(name, value)
  }
  return tensors
}

type Fail = (problem: string) => never

class StorageType {
  readonly dtype: KnownDType

  constructor(dtype: KnownDType) {
    this.dtype = dtype
  }
}

const STORAGES: Readonly<Record<string, KnownDType>> = {
  DoubleStorage: 'f64',
  FloatStorage: 'f32',
  HalfStorage: 'f16',
  BFloat16Storage: 'bf16',
  LongStorage: 'i64',
  IntStorage: 'i32',
  ShortStorage: 'i16',
  CharStorage: 'i8',
  ByteStorage: 'u8',
  BoolStorage: 'bool',
  ComplexFloatStorage: 'c64', // known, so that the other tensors can be read
}

function globalOf(name: string, path: string, fail: Fail): PickledFunction | StorageType {
  const storage = /^torch\.(\w+)$/.exec(name)?.[1]
  if (storage !== undefined && Object.hasOwn(STORAGES, storage))
    return new StorageType(STORAGES[storage])
  switch (name) {
    case 'collections.OrderedDict':
      return (args) => orderedDict(args, fail)
    case 'torch._utils._rebuild_tensor_v2':
      return (args) => rebuildTensor(args, fail)
    case 'torch._utils._rebuild_parameter':
      return ([tensor]) =>
        tensor instanceof StridedTensor ? tensor : fail('a parameter is not a tensor')
  }
  throw new HeedError(
    'unsupported',
    `The pickle in ${path} must be a state dict, but it uses the global ${quote(name)}. It was not run.`,
    {
      key: name,
      value: path,
      remedy:
        'Do not open it with other tools unless you trust its source. To convert it, save only the state dict, or safetensors.',
    },
  )
}

/** Items are given as pairs, or set later. */
function orderedDict(args: readonly unknown[], fail: Fail): Map<unknown, unknown> {
  const [pairs = []] = args
  if (!Array.isArray(pairs)) return fail('a dictionary is made from a value that is not a list')
  return new Map(
    pairs.map((pair): [unknown, unknown] => {
      const items = pair instanceof Tuple ? pair.items : pair
      return Array.isArray(items) && items.length === 2
        ? [items[0], items[1]]
        : fail('an item of a dictionary is not a pair')
    }),
  )
}

/** Reads ('storage', type, key, device, number of elements). */
function storageOf(id: unknown, fail: Fail): Storage {
  const [kind, type, key, , size] = id instanceof Tuple ? id.items : []
  if (
    kind !== 'storage' ||
    !(type instanceof StorageType) ||
    typeof key !== 'string' ||
    !isCount(size)
  )
    return fail('a storage has an invalid description')
  return { key, dtype: type.dtype, size }
}

/** Reads (storage, offset, shape, strides, requires_grad, hooks). */
function rebuildTensor(args: readonly unknown[], fail: Fail): StridedTensor {
  const [storage, offset, shape, strides] = args
  if (!isStorage(storage)) return fail('a tensor has no storage')
  const [sizes, steps] = [countsOf(shape), countsOf(strides)]
  if (!isCount(offset) || !sizes || !steps)
    return fail('the shape, strides or offset of a tensor are not integers >= 0')
  if (sizes.length !== steps.length)
    return fail('a tensor has different numbers of strides and axes')
  const count = sizes.reduce((product, size) => product * size, 1)
  const last = sizes.reduce((sum, size, axis) => sum + (size - 1) * steps[axis], offset)
  if (count > 0 && last >= storage.size)
    return fail(`a tensor (${sizes.join(', ')}) is larger than its storage`)
  // An expanded axis repeats elements. Without a limit, a few bytes could produce any size.
  if (count > Math.max(storage.size, MAX_REPEATED))
    return fail(`a tensor (${sizes.join(', ')}) repeats its elements too often`)
  return new StridedTensor(storage, offset, sizes, steps)
}

const MAX_REPEATED = 2 ** 24
const MAX_AXES = 64

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'key' in value && 'dtype' in value

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function countsOf(value: unknown): number[] | null {
  const items = value instanceof Tuple && value.items.length <= MAX_AXES ? value.items : []
  const counts = items.filter(isCount)
  return value instanceof Tuple && counts.length === value.items.length ? counts : null
}

function kindOf(value: unknown): string {
  if (value instanceof Map) return 'a dictionary'
  if (Array.isArray(value) || value instanceof Tuple) return 'a list'
  return value === null ? 'None' : `a ${typeof value}`
}
