import * as g from '../graph/build.ts'
import { arrayOf, type DType, dtypeOfArray, type TypedArray } from '../graph/dtype.ts'
import { checkShape, countOf, type Shape, showShape } from '../graph/shape.ts'
import { HeedError, ShapeError, shown } from '../util/errors.ts'
import { type Operand, tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

export type Nested = number | boolean | readonly Nested[]

export interface TensorOptions {
  dtype?: DType
  /** For typed arrays; nested arrays bring their own. */
  shape?: Shape
}

/**
 * A tensor with these values: a number, nested arrays, or a typed array with a shape. The values are
 * copied. Numbers become f32, booleans bool, typed arrays keep their kind.
 * @throws ShapeError when nested arrays are ragged or the shape does not fit the values.
 */
export function tensor(values: Nested | TypedArray, options: TensorOptions = {}): Tensor {
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
  if (countOf(size) !== values.length)
    throw new ShapeError(
      `tensor: shape ${showShape(size)} must have ${countOf(size)} values, got ${values.length}`,
    )
  const own = dtype ?? dtypeOfArray(values)
  return tensorOf(g.leaf(copyAs(values, own), size, own))
}

function copyAs(values: TypedArray, dtype: DType): TypedArray {
  // Doubles stay doubles: the reference device computes with them when it is asked to.
  if (dtype === 'f32' && values instanceof Float64Array) return values.slice()
  const copy = arrayOf(dtype, values.length)
  if (dtype === 'bool') for (let i = 0; i < values.length; i++) copy[i] = values[i] ? 1 : 0
  else copy.set(values)
  return copy
}

/** Appends the values row-major and fills in the shape; whether all were booleans. */
function flatten(value: Nested, depth: number, shape: number[], out: number[]): boolean {
  if (!Array.isArray(value)) {
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw new HeedError(
        'invalid-option',
        `tensor: values must be numbers or booleans, got ${shown(value)}`,
      )
    if (depth !== shape.length)
      throw new ShapeError(
        `tensor: nested arrays must have one depth, got ${depth} and ${shape.length}`,
      )
    out.push(Number(value))
    return typeof value === 'boolean'
  }
  if (shape.length === depth && out.length === 0) shape.push(value.length)
  if (shape[depth] !== value.length)
    throw new ShapeError(
      `tensor: nested arrays must have one length at depth ${depth}, got ${shape[depth]} and ${value.length}`,
    )
  let boolean = value.length > 0
  for (const item of value) boolean = flatten(item, depth + 1, shape, out) && boolean
  return boolean
}

export const zeros = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 0, dtype)

export const ones = (shape: Shape, dtype: DType = 'f32'): Tensor => full(shape, 1, dtype)

export function full(shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  return tensorOf(g.filled(value, checkShape(shape, 'full'), dtype))
}

export const zerosLike = (x: Tensor): Tensor => zeros(x.shape, x.dtype)

export const onesLike = (x: Tensor): Tensor => ones(x.shape, x.dtype)

/** From `start` (0) up to but without `end`, i32 when all are whole, else f32. */
export function arange(start: number, end?: number, step = 1): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end]
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

/** `count` values from start to end, both included. */
export function linspace(start: number, end: number, count: number): Tensor {
  const step = count > 1 ? (end - start) / (count - 1) : 0
  return tensorOf(g.iota([count], 0))
    .to('f32')
    .mul(step)
    .add(start)
}

/** The identity matrix. */
export function eye(rows: number, columns = rows): Tensor {
  const shape = [rows, columns]
  return tensorOf(g.binary('eq', g.iota(shape, 0), g.iota(shape, 1))).to('f32')
}

/** i32 class numbers -> f32 rows with one 1 in each: shape + (classes). */
export function oneHot(index: Tensor, classes: number): Tensor {
  const shape = [...index.shape, classes]
  const column = g.cast(index.unsqueeze(-1).node, 'i32')
  return tensorOf(g.binary('eq', g.iota(shape, shape.length - 1), column)).to('f32')
}

/** Concatenates along an existing axis. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors
  if (!first)
    throw new HeedError('invalid-option', 'cat: there must be at least one tensor, got none')
  const at = axis < 0 ? axis + first.rank : axis
  return tensorOf(
    g.concat(
      tensors.map((t) => t.node),
      at,
    ),
  )
}

/** Laid side by side along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const at = axis < 0 ? axis + tensors[0].rank + 1 : axis
  return cat(
    tensors.map((t) => t.unsqueeze(at)),
    at,
  )
}

/** `yes` where the condition holds, else `no`. */
export const where = (condition: Tensor, yes: Operand, no: Operand): Tensor =>
  condition.where(yes, no)

/**
 * A number that enters a program when it runs. With a function, a held program asks again at each
 * run: learning rates, step counters and positions are made so.
 */
export function runtimeScalar(read: (() => number) | number, dtype: DType = 'f32'): Tensor {
  if (typeof read === 'number') return tensorOf(g.scalar(read, dtype))
  return tensorOf(g.scalar(read(), dtype, read))
}
