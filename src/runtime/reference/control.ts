// Leaves, state, and operations that only order or mark nodes of the graph.
import type { ControlOps } from '../../graph/ops.ts'
import { countOf } from '../../graph/shape.ts'
import { ShapeError } from '../../util/errors.ts'
import { overwritten } from './indexing.ts'
import type { Evaluators } from './value.ts'

export const control: Evaluators<keyof ControlOps> = {
  buffer: (node, _, run) => run.leaf(node),
  pick: (node, _, run) => run.outputs(node.inputs[0])[node.attrs.index],
  stopGradient: (_, [x]) => x.data,
  barrier: (_, [x]) => x.data,
  customVjp: (_, [x]) => x.data,

  assign: (node, [, value], run) => {
    run.assign(node.inputs[0], value.data)
    return value.data
  },

  assignAt: (node, [target, value, offset], run) => {
    const next = overwritten(target, value, offset, node.attrs.axis, run)
    run.assign(node.inputs[0], next)
    return next
  },

  hostCall: async (node, inputs, run) => {
    const result = await run.host(node)(inputs.map((x) => x.data.slice()))
    if (result.length !== countOf(node.shape))
      throw new ShapeError(
        `The function of hostCall must return ${countOf(node.shape)} values, got ${result.length}`,
        { value: result.length, expected: `${countOf(node.shape)} values` },
      )
    const out = run.empty(node)
    out.set(result)
    return out
  },
}
