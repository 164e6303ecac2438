// Operations that copy arrays into a larger one.
import { copyStrided, eachRow, type Layout, plainLayout } from './strided.ts'
import type { Evaluators } from './value.ts'
import { windowLayout } from './views.ts'

export const joining: Evaluators<'concat' | 'pad' | 'foldWindow'> = {
  concat: (node, inputs, run) => {
    const { axis } = node.attrs
    const out = run.empty(node)
    const target = plainLayout(node.shape)
    let start = 0
    for (const { shape, data } of inputs) {
      const there: Layout = { ...target, offset: start * target.strides[axis] }
      copyStrided(shape, data, plainLayout(shape), out, there)
      start += shape[axis]
    }
    return out
  },

  pad: (node, [x], run) => {
    const out = run.empty(node)
    const { strides } = plainLayout(node.shape)
    const offset = node.attrs.before.reduce((sum, n, i) => sum + n * strides[i], 0)
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
}
