// Operations that the fast devices have kernels for: products, joins, look-ups, order.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/node.ts'
import type { KernelOps } from '../../graph/ops.ts'
import { countOf, type Shape, stridesOf } from '../../graph/shape.ts'
import { HeedError } from '../../util/errors.ts'
import { broadcastLayout, copyStrided, eachRow, plainLayout } from './strided.ts'
import type { Evaluators, Run, Value } from './value.ts'
import { windowLayout } from './views.ts'

export const kernels: Evaluators<keyof KernelOps> = {
  cumsum: (node, [x], run) => scan(node, x, run, (a, b) => a + b),
  cumprod: (node, [x], run) => scan(node, x, run, x.dtype === 'f32' ? (a, b) => a * b : Math.imul),
  cummax: (node, [x], run) => scan(node, x, run, (a, b) => Math.max(a, b)),

  matmul: (node, [a, b], run) => {
    const out = run.empty(node)
    const [m, n] = node.shape.slice(-2)
    const k = a.shape.at(-1) as number
    const batch = node.shape.slice(0, -2)
    const layouts = [a, b].map((x) => {
      const size = x.shape.at(-1) as number
      const plane = (x.shape.at(-2) as number) * size
      const { strides } = broadcastLayout(x.shape.slice(0, -2), batch)
      return { offset: 0, strides: strides.map((s) => s * plane) }
    })
    let at = 0
    eachRow(batch, layouts, (count, [i, j], [stepA, stepB]) => {
      for (let c = 0; c < count; c++, i += stepA, j += stepB, at += m * n)
        multiply(a.data, i, b.data, j, out, at, [m, k, n])
    })
    return out
  },

  concat: (node, inputs, run) => {
    const out = run.empty(node)
    const strides = stridesOf(node.shape)
    let start = 0
    for (const x of inputs) {
      const target = { offset: start * strides[node.attrs.axis], strides }
      copyStrided(x.shape, x.data, plainLayout(x.shape), out, target)
      start += x.shape[node.attrs.axis]
    }
    return out
  },

  pad: (node, [x], run) => {
    const out = run.empty(node)
    const strides = stridesOf(node.shape)
    const offset = node.attrs.before.reduce((at, n, i) => at + n * strides[i], 0)
    copyStrided(x.shape, x.data, plainLayout(x.shape), out, { offset, strides })
    return out
  },

  foldWindow: (node, [x], run) => {
    const out = run.empty(node)
    const layouts = [plainLayout(x.shape), windowLayout(node.shape, node.attrs)]
    eachRow(x.shape, layouts, (count, [from, to], [stepFrom, stepTo]) => {
      for (let n = 0; n < count; n++, from += stepFrom, to += stepTo) out[to] += x.data[from]
    })
    return out
  },

  take: (node, [x, index], run) => {
    const out = run.empty(node)
    eachSlice('take', x.shape, index, node.attrs.axis, (from, to, inner) => {
      out.set(x.data.subarray(from, from + inner), to)
    })
    return out
  },

  scatterAdd: (node, [base, index, source], run) => {
    const out = copyOf(base, run)
    eachSlice('scatterAdd', base.shape, index, node.attrs.axis, (to, from, inner) => {
      for (let i = 0; i < inner; i++) out[to + i] += source.data[from + i]
    })
    return out
  },

  scatterSet: (node, [base, index, source], run) => {
    const out = copyOf(base, run)
    eachSlice('scatterSet', base.shape, index, node.attrs.axis, (to, from, inner) => {
      out.set(source.data.subarray(from, from + inner), to)
    })
    return out
  },

  sliceAt: (node, [x, offset], run) => {
    const out = run.empty(node)
    const layout = partLayout(x.shape, node.attrs.axis, offset.data[0], node.attrs.size)
    copyStrided(node.shape, x.data, layout, out, plainLayout(node.shape))
    return out
  },

  updateAt: (node, [x, source, offset], run) =>
    overwritten(x, source, offset.data[0], node.attrs.axis, run),

  sort: (node, [x], run) => ordered(node, x, run, x.shape.at(-1) as number, node.attrs.descending),
  topk: (node, [x], run) => ordered(node, x, run, node.attrs.k, node.attrs.largest),
}

/** A copy of `x` with `source` written over it from `offset` on. */
export function overwritten(
  x: Value,
  source: Value,
  offset: number,
  axis: number,
  run: Run,
): TypedArray {
  const out = copyOf(x, run)
  const target = partLayout(x.shape, axis, offset, source.shape[axis])
  copyStrided(source.shape, source.data, plainLayout(source.shape), out, target)
  return out
}

function copyOf(x: Value, run: Run): TypedArray {
  const out = run.empty(x)
  out.set(x.data)
  return out
}

/** (m, k) x (k, n), row by row of b so that memory is read in order. */
function multiply(
  a: TypedArray,
  startA: number,
  b: TypedArray,
  startB: number,
  out: TypedArray,
  start: number,
  [m, k, n]: [number, number, number],
): void {
  const row = new Float64Array(n)
  for (let i = 0; i < m; i++) {
    row.fill(0)
    for (let p = 0; p < k; p++) {
      const factor = a[startA + i * k + p]
      const from = startB + p * n
      for (let j = 0; j < n; j++) row[j] += factor * b[from + j]
    }
    out.set(row, start + i * n)
  }
}

function scan(
  node: Node<'cumsum' | 'cumprod' | 'cummax'>,
  x: Value,
  run: Run,
  join: (a: number, b: number) => number,
): TypedArray {
  const out = run.empty(node)
  const { axis } = node.attrs
  if (x.shape.length === 0) out.set(x.data)
  const size = x.shape[axis] ?? 0
  const inner = countOf(x.shape.slice(axis + 1))
  for (let block = 0; block < out.length; block += size * inner)
    for (let column = block; column < block + inner; column++) {
      let total = x.data[column]
      out[column] = total
      for (let i = 1; i < size; i++) {
        total = join(total, x.data[column + i * inner])
        out[column + i * inner] = total
      }
    }
  return out
}

/** Each slice that an index names: where it lies in the indexed tensor, and in the tensor of slices. */
function eachSlice(
  op: string,
  shape: Shape,
  index: Value,
  axis: number,
  visit: (inTensor: number, inSlices: number, length: number) => void,
): void {
  const size = shape[axis]
  const inner = countOf(shape.slice(axis + 1))
  const outer = countOf(shape.slice(0, axis))
  const count = index.data.length
  for (let n = 0; n < count; n++) {
    const at = index.data[n]
    if (at < 0 || at >= size)
      throw new HeedError(
        `${op}: index ${at} is out of range for axis ${axis}, which has size ${size}`,
      )
  }
  for (let o = 0; o < outer; o++)
    for (let n = 0; n < count; n++)
      visit((o * size + index.data[n]) * inner, (o * count + n) * inner, inner)
}

function partLayout(shape: Shape, axis: number, offset: number, size: number) {
  if (offset < 0 || offset + size > shape[axis])
    throw new HeedError(
      `[${offset}, ${offset + size}) is out of range for axis ${axis}, which has size ${shape[axis]}`,
    )
  const strides = stridesOf(shape)
  return { offset: offset * strides[axis], strides }
}

/** The first `count` of each row in order, and where they were. Equal ones keep their order. */
function ordered(node: Node, x: Value, run: Run, count: number, descending: boolean): TypedArray[] {
  const [values, indices] = (node.forms ?? []).map((form) => run.empty(form))
  const size = x.shape.at(-1) as number
  for (let row = 0; row * size < x.data.length; row++) {
    const data = x.data.subarray(row * size, (row + 1) * size)
    const order = Array.from(data, (_, i) => i)
    order.sort(
      (a, b) => (descending ? compare(data[b], data[a]) : compare(data[a], data[b])) || a - b,
    )
    for (let i = 0; i < count; i++) {
      values[row * count + i] = data[order[i]]
      indices[row * count + i] = order[i]
    }
  }
  return [values, indices]
}

/** NaN counts as the greatest. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  if (Number.isNaN(b)) return -1
  return a - b
}
