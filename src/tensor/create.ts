import * as g from '../graph/build.ts'
import { arrayOf, checkDType, type DType, dtypeOfArray, type TypedArray } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import { checkShape, countOf, normalizeAxis, type Shape, showShape } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError, ShapeError, shown } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkTensors, nodesOf } from './arguments.ts'
import { type Operand, tensorOf } from './core.ts'
import { indexNode } from './index-node.ts'
import type { Tensor } from './tensor.ts'

/** A number, a boolean, or nested arrays of them. */
export type Nested = number | boolean | readonly Nested[]

/** Options of `tensor`. */
export interface TensorOptions {
  /** Data type. Default: f32 for numbers, bool for booleans, the type of a typed array. */
  dtype?: DType
  /** Shape, for typed arrays. Default: that of the nested arrays, or a vector. */
  shape?: Shape
}

const TENSOR = optionKinds<TensorOptions>({ dtype: 'text?', shape: 'numbers?' })

/**
 * Creates a tensor from a number, nested arrays or a typed array. The values are copied.
 * @throws ShapeError if nested arrays are ragged, or the shape does not fit the values
 */
export function tensor(values: Nested | TypedArray, options: TensorOptions = {}): Tensor {
  TENSOR.check('tensor', options)
  if (options.dtype !== undefined) checkDType(options.dtype, 'tensor')
  if (ArrayBuffer.isView(values)) return fromTyped(values, options)
  const flat: number[] = []
  const shape: number[] = []
  const boolean = flatten(values, 0, shape, flat)
  const dtype = options.dtype ?? (boolean ? 'bool' : 'f32')
  const data = arrayOf(dtype, flat.length)
  data.set(dtype === 'bool' ? flat.map((x) => (x ? 1 : 0)) : flat)
  const out = tensorOf(g.leaf(data, shape, dtype))
  return options.shape ? out.reshape(options.shape) : out
}

function fromTyped(values: TypedArray, { dtype, shape }: TensorOptions): Tensor {
  const size = shape ?? [values.length]
  checkShape(size, 'tensor')
  if (!(values instanceof Float32Array) && !(values instanceof Float64Array) && !isWhole(values))
    throw wrongArgument('tensor', 'values', values, 'a Float32Array, Float64Array, Int32Array, Uint32Array or Uint8Array') // biome-ignore format: one line
  if (countOf(size) !== values.length)
    throw new ShapeError(
      `tensor: shape ${showShape(size)} must have ${countOf(size)} values, got ${values.length}`,
    )
  const own = dtype ?? dtypeOfArray(values)
  return tensorOf(g.leaf(copyAs(values, own), size, own))
}

const isWhole = (values: TypedArray): boolean =>
  values instanceof Int32Array || values instanceof Uint32Array || values instanceof Uint8Array

function copyAs(values: TypedArray, dtype: DType): TypedArray {
  // Doubles are kept, because the reference device can compute with them.
  if (dtype === 'f32' && values instanceof Float64Array) return values.slice()
  const copy = arrayOf(dtype, values.length)
  if (dtype === 'bool') for (let i = 0; i < values.length; i++) copy[i] = values[i] ? 1 : 0
  else copy.set(values)
  return copy
}

const RAGGED = 'Fill shorter arrays up to the longest. For texts, `tokenizer.batch(texts)` does so.'

/** Appends the values in row-major order and sets the shape. Returns whether all values are booleans. */
function flatten(value: Nested, depth: number, shape: number[], out: number[]): boolean {
  if (!Array.isArray(value)) {
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw new HeedError(
        'invalid-option',
        `tensor: values must be numbers or booleans, got ${shown(value)}`,
        { value },
      )
    if (depth !== shape.length)
      throw new ShapeError(
        `tensor: nested arrays must all have the same depth, got ${depth} and ${shape.length}`,
        { value, remedy: RAGGED },
      )
    out.push(Number(value))
    return typeof value === 'boolean'
  }
  if (shape.length === depth && out.length === 0) shape.push(value.length)
  if (shape[depth] !== value.length)
    throw new ShapeError(
      `tensor: nested arrays must have the same length at depth ${depth}, got ${shape[depth]} and ${value.length}`,
      { value, remedy: RAGGED },
    )
  let boolean = value.length > 0
  for (const item of value) boolean = flatten(item, depth + 1, shape, out) && boolean
  return boolean
}

/** Creates a tensor of zeros. */
export const zeros = (shape: Shape, dtype: DType = 'f32'): Tensor =>
  filledWith('zeros', shape, 0, dtype)

/** Creates a tensor of ones. */
export const ones = (shape: Shape, dtype: DType = 'f32'): Tensor =>
  filledWith('ones', shape, 1, dtype)

/** Creates a tensor filled with one value. */
export function full(shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  if (typeof value !== 'boolean') checkArgument('full', 'value', value, 'number')
  return filledWith('full', shape, Number(value), dtype)
}

function filledWith(op: string, shape: Shape, value: number, dtype: DType): Tensor {
  return tensorOf(g.filled(value, checkShape(shape, op), checkDType(dtype, op)))
}

/** Creates zeros with the shape and dtype of x. */
export function zerosLike(x: Tensor): Tensor {
  checkTensors('zerosLike', { x })
  return zeros(x.shape, x.dtype)
}

/** Creates ones with the shape and dtype of x. */
export function onesLike(x: Tensor): Tensor {
  checkTensors('onesLike', { x })
  return ones(x.shape, x.dtype)
}

/** Creates a tensor filled with one value, with the shape and dtype of x. */
export function fullLike(x: Tensor, value: number): Tensor {
  checkTensors('fullLike', { x })
  return full(x.shape, value, x.dtype)
}

/**
 * Returns `start`, `start + step`, … below `end`. `arange(end)` starts at 0. i32 if all arguments are integers,
 * otherwise f32.
 */
export function arange(start: number, end?: number, step = 1): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end]
  for (const [key, value] of Object.entries({ start, end: to, step }))
    checkArgument('arange', key, value, 'number')
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (!Number.isFinite(count))
    throw new HeedError(
      'invalid-option',
      `arange: start, end and step must be finite and step not 0, got ${from}, ${to}, ${step}`,
    )
  const index = tensorOf(g.iota([count], 0))
  if ([from, to, step].every(Number.isInteger)) return index.mul(step).add(from)
  return index.to('f32').mul(step).add(from)
}

/** Returns `count` evenly spaced values from `start` to `end`, inclusive. f32. */
export function linspace(start: number, end: number, count: number): Tensor {
  for (const [key, value] of Object.entries({ start, end }))
    checkArgument('linspace', key, value, 'number')
  checkArgument('linspace', 'count', count, 'count')
  const step = count > 1 ? (end - start) / (count - 1) : 0
  return tensorOf(g.iota([count], 0))
    .to('f32')
    .mul(step)
    .add(start)
}

/** Returns the identity matrix, f32 (rows, columns). */
export function eye(rows: number, columns = rows): Tensor {
  checkArgument('eye', 'rows', rows, 'count')
  checkArgument('eye', 'columns', columns, 'count')
  const shape = [rows, columns]
  return tensorOf(g.binary('eq', g.iota(shape, 0), g.iota(shape, 1))).to('f32')
}

/** One-hot encoding: class indices i32 (...) -> f32 (..., classes). */
export function oneHot(index: Tensor, classes: number): Tensor {
  checkTensors('oneHot', { index })
  checkArgument('oneHot', 'classes', classes, 'size')
  const shape = [...index.shape, classes]
  const column = tensorOf(indexNode(index, 'oneHot')).unsqueeze(-1).node
  return tensorOf(g.binary('eq', g.iota(shape, shape.length - 1), column)).to('f32')
}

/** Concatenates tensors along an existing axis. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const nodes = listOf('cat', tensors)
  return tensorOf(g.concat(nodes, normalizeAxis(axis, nodes[0].shape.length, 'cat')))
}

/** Stacks tensors of the same shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = listOf('stack', tensors)
  const at = normalizeAxis(axis, first.shape.length + 1, 'stack')
  return cat(
    tensors.map((t) => t.unsqueeze(at)),
    at,
  )
}

function listOf(op: string, tensors: readonly Tensor[]): Node[] {
  const nodes = nodesOf(tensors, op)
  if (nodes.length > 0) return nodes
  throw new HeedError('invalid-option', `${op}: there must be at least one tensor, got none`)
}

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /**
   * 'ij' (matrix indexing): the first vector varies along the first axis. 'xy' (Cartesian): along the second. Default
   * 'ij'.
   */
  indexing?: 'ij' | 'xy'
}

const MESHGRID = optionKinds<MeshgridOptions>({ indexing: 'text?' })

/** Returns coordinate grids: for each vector, its value at every point of the grid spanned by all vectors. */
export function meshgrid(vectors: readonly Tensor[], options: MeshgridOptions = {}): Tensor[] {
  MESHGRID.check('meshgrid', options)
  const { indexing = 'ij' } = options
  if (indexing !== 'ij' && indexing !== 'xy')
    throw wrongArgument('meshgrid', 'indexing', indexing, "'ij' or 'xy'")
  for (const { shape } of listOf('meshgrid', vectors))
    if (shape.length > 1)
      throw new ShapeError(`meshgrid: the tensors must be vectors, got ${showShape(shape)}`)
  const swapped = indexing === 'xy' && vectors.length > 1
  const order = swapped ? [vectors[1], vectors[0], ...vectors.slice(2)] : vectors
  const sizes = order.map((vector) => vector.size)
  const grids = order.map((vector, axis) =>
    vector.reshape(sizes.map((n, i) => (i === axis ? n : 1))).expand(sizes),
  )
  return swapped ? [grids[1], grids[0], ...grids.slice(2)] : grids
}

/** Selects `yes` where the condition is true, else `no`. */
export function where(condition: Tensor, yes: Operand, no: Operand): Tensor {
  checkTensors('where', { condition })
  return condition.where(yes, no)
}

/**
 * Creates a scalar that a program reads when it runs, so that its value can change without a new compilation. If `read`
 * is a function, a held program calls it at each run. Used for learning rates, step counts and positions.
 */
export function runtimeScalar(read: (() => number) | number, dtype: DType = 'f32'): Tensor {
  checkDType(dtype, 'runtimeScalar')
  if (typeof read === 'number') return tensorOf(g.scalar(read, dtype))
  checkArgument('runtimeScalar', 'read', read, 'function')
  return tensorOf(g.scalar(read(), dtype, read))
}
