// Operations without tensor inputs, and random numbers.
import type { DType } from '../../graph/dtype.ts'
import type { Generator } from '../../graph/ops.ts'
import { countOf } from '../../graph/shape.ts'
import { threefry2x32 } from '../../util/threefry.ts'
import type { Evaluators } from './value.ts'

export const generators: Evaluators<Generator> = {
  scalar: (node, _, run) => {
    const out = run.empty(node)
    out[0] = numberAs(node.dtype, run.number(node))
    return out
  },

  constant: (node, _, run) => {
    const out = run.empty(node)
    out[0] = numberAs(node.dtype, node.attrs.value)
    return out
  },

  iota: (node, _, run) => {
    const { shape, axis } = node.attrs
    const out = run.empty(node)
    const inner = countOf(shape.slice(axis + 1))
    const size = shape[axis]
    for (let i = 0; i < out.length; i++) out[i] = Math.floor(i / inner) % size
    return out
  },

  // Element i is word i & 1 of block i >> 1 of the cipher.
  random: (node, [seed, draw], run) => {
    const out = run.empty(node)
    const block = new Uint32Array(2)
    for (let i = 0; i < out.length; i += 2) {
      const counter = i / 2
      threefry2x32(seed.data[0], draw.data[0], counter | 0, Math.floor(counter / 2 ** 32), block)
      out[i] = block[0]
      if (i + 1 < out.length) out[i + 1] = block[1]
    }
    return out
  },
}

const numberAs = (dtype: DType, value: number): number =>
  dtype === 'bool' ? Number(value !== 0) : value
