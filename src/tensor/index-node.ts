// What selects elements: class labels, token ids, positions. They must be integers, since a conversion to integers
// would silently take 1.7 for 1.
import * as g from '../graph/build.ts'
import { isFloat } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import { ShapeError } from '../util/errors.ts'
import { nodeOf } from './arguments.ts'

/** The i32 node of a tensor of indices. @throws HeedError for no tensor @throws ShapeError for a dtype without integers */
export function indexNode(index: unknown, op: string, key = 'index'): Node {
  const node = nodeOf(index, op, key)
  const { dtype } = node
  if (dtype === 'bool' || isFloat(dtype))
    throw new ShapeError(`${op}: \`${key}\` must contain integers, got ${dtype}`, {
      key,
      value: dtype,
      remedy:
        dtype === 'bool'
          ? 'Use maskedSelect(mask), or `await mask.nonzero()`.'
          : "Create it with tensor(values, { dtype: 'i32' }), or convert it with .to('i32').",
    })
  return g.cast(node, 'i32')
}
