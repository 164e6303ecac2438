// Functions that create nodes. Gradients, decompositions and tensors are written in them.
import type { BlockFormat } from '../util/block-formats.ts'
import { ShapeError } from '../util/errors.ts'
import { type DType, promote, type TypedArray } from './dtype.ts'
import { infer } from './infer.ts'
import { type Form, Node, scopeNow } from './node.ts'
import type {
  AttentionAttrs,
  Binary,
  CrossEntropyAttrs,
  LinearCrossEntropyAttrs,
  Op,
  OpAttrs,
  Reduction,
  Unary,
} from './ops.ts'
import { countOf, type Shape, sameShape, stridesOf } from './shape.ts'

/** Creates a node of any operation and checks its shapes. @throws ShapeError that names the module path. */
export function make<O extends Op>(op: O, inputs: readonly Node[], attrs: OpAttrs[O]): Node<O> {
  let forms: Form | Form[]
  try {
    forms = infer[op](inputs, attrs)
  } catch (error) {
    const scope = scopeNow()
    if (!(error instanceof ShapeError && scope)) throw error
    const { message, details, remedy } = error
    throw new ShapeError(`${scope}: ${message}`, { ...details, remedy })
  }
  return new Node(op, inputs, attrs, forms)
}

const none = {}

// --- leaves and generators

/** A leaf with the given contents. The array is not copied. */
export function leaf(data: TypedArray, shape: Shape, dtype: DType): Node {
  const node = make('buffer', [], { shape, dtype })
  node.data = data
  return node
}

/**
 * A number as a run-time input: its value is not part of the program. A held program calls `read`
 * at each run to get the current number.
 */
export function scalar(
  value: number,
  dtype: DType = 'f32',
  read: (() => number) | null = null,
): Node {
  const node = make('scalar', [], { dtype })
  node.value = value
  node.read = read
  return node
}

/** A number in an expression: 0 and ±1 are part of the program, all others are run-time inputs. */
export function constant(value: number, dtype: DType = 'f32'): Node {
  if (value === 0 || value === 1 || (value === -1 && dtype !== 'bool'))
    return make('constant', [], { dtype, value: value === 0 ? 0 : value })
  return scalar(value, dtype)
}

export const filled = (value: number, shape: Shape, dtype: DType = 'f32'): Node =>
  expand(constant(value, dtype), shape)

export const zerosLike = (x: Form): Node => filled(0, x.shape, x.dtype)

export const iota = (shape: Shape, axis: number): Node => make('iota', [], { shape, axis })

/** Uniform in [0, 1), 24 bits. */
export function uniform(shape: Shape, seed: Node, draw: Node): Node {
  const bits = make('random', [seed, draw], { shape })
  return mul(cast(shiftRight(bits, 8), 'f32'), scalar(2 ** -24))
}

const shiftRight = (x: Node, by: number): Node => binary('shr', x, scalar(by, x.dtype))

// --- element-wise

export const unary = (op: Unary, x: Node): Node => make(op, [x], none)
export const binary = (op: Binary, a: Node, b: Node): Node => make(op, [a, b], none)

export const neg = (x: Node): Node => unary('neg', x)
export const exp = (x: Node): Node => unary('exp', x)
export const log = (x: Node): Node => unary('log', x)
export const sqrt = (x: Node): Node => unary('sqrt', x)
export const rsqrt = (x: Node): Node => unary('rsqrt', x)
export const tanh = (x: Node): Node => unary('tanh', x)
export const square = (x: Node): Node => mul(x, x)

export const add = (a: Node, b: Node): Node => binary('add', a, b)
export const sub = (a: Node, b: Node): Node => binary('sub', a, b)
export const mul = (a: Node, b: Node): Node => binary('mul', a, b)
export const div = (a: Node, b: Node): Node => binary('div', a, b)
export const scale = (x: Node, by: number): Node => mul(x, constant(by, x.dtype))
export const shift = (x: Node, by: number): Node => add(x, constant(by, x.dtype))

export const where = (condition: Node, yes: Node, no: Node): Node =>
  make('where', [condition, yes, no], none)

export const cast = (x: Node, dtype: DType): Node =>
  x.dtype === dtype ? x : make('cast', [x], { dtype })

/** Converts both to the dtype that PyTorch would promote them to. */
export function promoted(a: Node, b: Node): [Node, Node] {
  const dtype = promote(a.dtype, b.dtype)
  return [cast(a, dtype), cast(b, dtype)]
}

// --- views

export const reshape = (x: Node, shape: Shape): Node =>
  sameShape(x.shape, shape) ? x : make('reshape', [x], { shape })

/** A new node with the same value, so that its gradient is separate from that of `x`. */
export const alias = (x: Node): Node => make('reshape', [x], { shape: x.shape })

export const permute = (x: Node, order: readonly number[]): Node =>
  order.every((axis, i) => axis === i) ? x : make('permute', [x], { order })

/** Swaps the last two axes. */
export function transpose(x: Node): Node {
  const order = x.shape.map((_, i) => i)
  const last = order.length - 1
  order[last] = last - 1
  order[last - 1] = last
  return permute(x, order)
}

export const expand = (x: Node, shape: Shape): Node =>
  sameShape(x.shape, shape) ? x : make('expand', [x], { shape })

export function slice(
  x: Node,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): Node {
  if (sameShape(x.shape, sizes) && steps.every((s) => s === 1)) return x
  return make('slice', [x], { starts, sizes, steps })
}

/** `x[..., start : start + size, ...]` along one axis. */
export function narrow(x: Node, axis: number, start: number, size: number): Node {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0))
  const sizes = x.shape.map((n, i) => (i === axis ? size : n))
  return slice(x, starts, sizes)
}

export const pad = (x: Node, before: readonly number[], after: readonly number[]): Node =>
  [...before, ...after].every((n) => n === 0) ? x : make('pad', [x], { before, after })

export const flip = (x: Node, axes: readonly number[]): Node => make('flip', [x], { axes })

/** Inserts axes of size 1 at these positions of the result. */
export function unsqueeze(x: Node, axes: readonly number[]): Node {
  const shape = [...x.shape]
  for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, 1)
  return reshape(x, shape)
}

export const concat = (nodes: readonly Node[], axis: number): Node =>
  nodes.length === 1 ? nodes[0] : make('concat', nodes, { axis })

// --- reductions

/** Reduces over `axes`. They are dropped, or kept with size 1 if `keep` is true. */
export function reduce(op: Reduction, x: Node, axes: readonly number[], keep = false): Node {
  if (axes.length === 0 && op !== 'argmax' && op !== 'argmin') return x
  const out = make(op, [x], { axes })
  return keep ? unsqueeze(out, axes) : out
}

export const sum = (x: Node, axes: readonly number[], keep = false): Node =>
  reduce('sum', x, axes, keep)

export function mean(x: Node, axes: readonly number[], keep = false): Node {
  const count = axes.reduce((n, axis) => n * x.shape[axis], 1)
  return div(sum(x, axes, keep), scalar(count))
}

/** The adjoint of broadcasting: sums over the repeated axes, down to `shape`. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x
  const lead = x.shape.length - shape.length
  const axes: number[] = []
  for (let i = 0; i < x.shape.length; i++)
    if (i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1)) axes.push(i)
  return reshape(sum(x, axes), shape)
}

// --- kernels

export const matmul = (a: Node, b: Node): Node => make('matmul', [a, b], none)

/** x·wᵀ with quantised weights w. */
export const matmulQuantized = (x: Node, w: Node, format: BlockFormat): Node =>
  make('matmulQuantized', [x, w], { format })

/** dy·w with quantised weights w: the gradient of `matmulQuantized` with respect to x. */
export const matmulQuantizedInput = (dy: Node, w: Node, format: BlockFormat): Node =>
  make('matmulQuantizedInput', [dy, w], { format })

export const dequantize = (x: Node, format: BlockFormat): Node =>
  make('dequantize', [x], { format })

export const take = (x: Node, index: Node, axis: number): Node => make('take', [x, index], { axis })

/** `torch.gather`: out[i][j] = x[i][index[i][j]] along `axis`. */
export function gather(x: Node, index: Node, axis: number): Node {
  return take(reshape(x, [countOf(x.shape)]), flatIndex(x.shape, index, axis), 0)
}

/** Converts each element of `index` (a position along `axis`) to a position in the flattened tensor of `shape`. */
export function flatIndex(shape: Shape, index: Node, axis: number): Node {
  const strides = stridesOf(shape)
  let flat = mul(index, constant(strides[axis], 'i32'))
  for (let i = 0; i < shape.length; i++)
    if (i !== axis && index.shape[i] > 1)
      flat = add(flat, mul(iota(index.shape, i), constant(strides[i], 'i32')))
  return flat
}

export function scatter(
  op: 'scatterAdd' | 'scatterSet',
  base: Node,
  index: Node,
  source: Node,
  axis: number,
): Node {
  return make(op, [base, index, source], { axis })
}

// --- several outputs, control

/** Selects one output of a node with several outputs. */
export function pick(node: Node, index: number): Node {
  const forms = node.forms as readonly Form[]
  return new Node('pick', [node], { index }, forms[index])
}

/** All outputs of a node, each as a node. */
export const outputs = (node: Node): Node[] =>
  node.forms ? node.forms.map((_, i) => pick(node, i)) : [node]

export const stopGradient = (x: Node): Node => make('stopGradient', [x], none)

export const barrier = (x: Node, after: readonly Node[]): Node =>
  make('barrier', [x, ...after], none)

// --- composites

export interface AttentionInputs {
  q: Node
  k: Node
  v: Node
  bias?: Node
  mask?: Node
  length?: Node
  seed?: Node
  draw?: Node
}

/** [out, log-sum-exp] of scaled dot-product attention. */
export function attention(
  { q, k, v, bias, mask, length, seed, draw }: AttentionInputs,
  options: { scale?: number; causal?: boolean; dropout?: number } = {},
): Node[] {
  const scores = [q.shape[0], q.shape[1], q.shape[2], k.shape[2]]
  const optional = [
    bias && expand(bias, scores),
    mask && expand(mask, scores),
    length,
    seed,
    draw,
  ].filter((x) => x !== undefined)
  const attrs: AttentionAttrs = {
    scale: options.scale ?? 1 / Math.sqrt(q.shape[3]),
    causal: options.causal ?? false,
    bias: bias !== undefined,
    mask: mask !== undefined,
    length: length !== undefined,
    dropout: options.dropout ?? 0,
  }
  return outputs(make('attention', [q, k, v, ...optional], attrs))
}

/** [loss, gradient of the states, gradient of the weights if they are not quantised]. */
export const linearCrossEntropy = (
  [states, w, target, share]: readonly [states: Node, w: Node, target: Node, share: Node],
  attrs: LinearCrossEntropyAttrs,
): Node[] => outputs(make('linearCrossEntropy', [states, w, target, share], attrs))

/** [loss, log-sum-exp], each with one value per row. */
export const crossEntropy = (logits: Node, target: Node, attrs: CrossEntropyAttrs): Node[] =>
  outputs(make('crossEntropy', [logits, target], attrs))
