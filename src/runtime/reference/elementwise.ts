// Element-wise operations on broadcast inputs. Values are computed as doubles; storing them rounds floats
// and wraps integers.
import { isFloat, type TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/node.ts'
import type { Binary, Elementwise, Unary } from '../../graph/ops.ts'
import { convert, reinterpret } from './convert.ts'
import { erf } from './erf.ts'
import { broadcastLayout, eachRow, plainLayout } from './strided.ts'
import type { Evaluate, Evaluators, Run, Value } from './value.ts'

const unary: { [O in Unary]: (x: number) => number } = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: (x) => Math.sign(x) || 0, // 0 for NaN, as in PyTorch
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  expm1: Math.expm1,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  recip: (x) => 1 / x,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  floor: Math.floor,
  ceil: Math.ceil,
  round: halfToEven,
  trunc: Math.trunc,
  not: (x) => ~x,
}

const binary: { [O in Binary]: (a: number, b: number) => number } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: power,
  mod: flooredRemainder,
  maximum: (a, b) => Math.max(a, b), // NaN wins, as in PyTorch
  minimum: (a, b) => Math.min(a, b),
  eq: (a, b) => (a === b ? 1 : 0),
  ne: (a, b) => (a !== b ? 1 : 0),
  lt: (a, b) => (a < b ? 1 : 0),
  le: (a, b) => (a <= b ? 1 : 0),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b) => (a < 0 ? a >> b : a >>> b), // negative numbers are i32; for others both shifts agree
}

/** Operations that differ for integers: products wrap exactly, and division by 0 gives 0. */
const whole: Partial<typeof binary> = {
  mul: Math.imul,
  div: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  mod: (a, b) => (b === 0 ? 0 : flooredRemainder(a, b)),
  pow: wholePower,
}

export const elementwise: Evaluators<Elementwise> = {
  ...tableOf(unary, (f, op) => (node, [x], run) => {
    const negation = op === 'not' && node.dtype === 'bool'
    return map(node, x, run, negation ? (v) => 1 - v : f)
  }),
  ...tableOf(binary, (f, op) => (node, [a, b], run) => {
    return zip(node, a, b, run, isFloat(a.dtype) ? f : (whole[op] ?? f))
  }),
  where: select,
  cast: ({ attrs: { dtype } }, [x], run) => convert(x, dtype, run),
  bitcast: ({ attrs: { dtype } }, [x], run) => reinterpret(x, dtype, run),
}

function tableOf<O extends Unary | Binary, F>(
  functions: { [Name in O]: F },
  evaluate: (f: F, op: O) => Evaluate<O>,
): Evaluators<O> {
  const names = Object.keys(functions) as O[]
  return Object.fromEntries(
    names.map((op) => [op, evaluate(functions[op], op)]),
  ) as unknown as Evaluators<O>
}

function map(node: Node, x: Value, run: Run, f: (x: number) => number): TypedArray {
  const out = run.empty(node)
  const { data } = x
  for (let i = 0; i < out.length; i++) out[i] = f(data[i])
  return node.dtype === 'bool' ? asTruth(out) : out
}

function zip(
  node: Node<Binary>,
  { shape: shapeA, data: a, dtype }: Value,
  { shape: shapeB, data: b }: Value,
  run: Run,
  f: (a: number, b: number) => number,
): TypedArray {
  const { shape } = node
  const out = run.empty(node)
  const loop = (isFloat(dtype) && loops[node.op]) || general
  let at = 0
  const layouts = [broadcastLayout(shapeA, shape), broadcastLayout(shapeB, shape)]
  eachRow(shape, layouts, (count, starts, steps) => {
    loop({ out: out.subarray(at, at + count), a, b, starts, steps }, f)
    at += count
  })
  return node.dtype === 'bool' ? asTruth(out) : out
}

interface Row {
  out: TypedArray
  a: TypedArray
  b: TypedArray
  starts: readonly number[]
  steps: readonly number[]
}

type Loop = (row: Row, f: (a: number, b: number) => number) => void

const general: Loop = ({ out, a, b, starts: [i, j], steps: [stepA, stepB] }, f) => {
  for (let n = 0; n < out.length; n++, i += stepA, j += stepB) out[n] = f(a[i], b[j])
}

/** Separate loops for the most common operations: V8 compiles them without a call, which is five times as fast. */
const loops: Partial<Record<Binary, Loop>> = {
  add: ({ out, a, b, starts: [i, j], steps: [stepA, stepB] }) => {
    for (let n = 0; n < out.length; n++, i += stepA, j += stepB) out[n] = a[i] + b[j]
  },
  sub: ({ out, a, b, starts: [i, j], steps: [stepA, stepB] }) => {
    for (let n = 0; n < out.length; n++, i += stepA, j += stepB) out[n] = a[i] - b[j]
  },
  mul: ({ out, a, b, starts: [i, j], steps: [stepA, stepB] }) => {
    for (let n = 0; n < out.length; n++, i += stepA, j += stepB) out[n] = a[i] * b[j]
  },
  div: ({ out, a, b, starts: [i, j], steps: [stepA, stepB] }) => {
    for (let n = 0; n < out.length; n++, i += stepA, j += stepB) out[n] = a[i] / b[j]
  },
}

function select(node: Node<'where'>, inputs: readonly Value[], run: Run): TypedArray {
  const { shape } = node
  const [condition, yes, no] = inputs.map((x) => x.data)
  const out = run.empty(node)
  const layouts = [...inputs.map((x) => broadcastLayout(x.shape, shape)), plainLayout(shape)]
  eachRow(shape, layouts, (count, [c, i, j, at], [stepC, stepA, stepB, step]) => {
    for (let n = 0; n < count; n++, c += stepC, i += stepA, j += stepB, at += step)
      out[at] = condition[c] ? yes[i] : no[j]
  })
  return out
}

/** Stores a bool as 0 or 1: the sum of two true values is true. */
function asTruth(out: TypedArray): TypedArray {
  for (let i = 0; i < out.length; i++) if (out[i] > 1) out[i] = 1
  return out
}

function halfToEven(x: number): number {
  const near = Math.round(x) // rounds halves up
  return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near
}

/** As in C and PyTorch, 1ᵇ and (-1)^±∞ are 1, where JavaScript gives NaN. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b
}

/** The remainder with the sign of the divisor. */
function flooredRemainder(a: number, b: number): number {
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
}

/** aᵇ modulo 2³². A negative exponent truncates 1/aⁿ to an integer. */
function wholePower(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0
  let out = 1
  let square = a
  for (let n = b; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) out = Math.imul(out, square)
    square = Math.imul(square, square)
  }
  return out
}
