// The expression that a fused group computes from the operands that it reads from memory.
import { isOp, type Node } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
import type { Fusion } from './fuse.ts'
import type { Operands } from './operands.ts'
import type { Expression, Operand, Step } from './schedule.ts'

/** The expression of `node` in a kernel that loops over `shape`, and the operands that it loads. */
export function expressionOf(
  node: Node,
  shape: Shape,
  fusion: Fusion,
  operands: Operands,
): { expression: Expression; inputs: Operand[] } {
  const loads: Node[] = []
  const order: Node[] = []
  collect(node, true)

  const register = new Map<Node, number>(loads.map((load, i) => [load, i]))
  const steps: Step[] = order.map((part, i) => {
    register.set(part, loads.length + i)
    return stepOf(part, shape, register)
  })
  return {
    expression: { inputs: loads.length, steps, results: [register.get(node) as number] },
    inputs: loads.map((load) => operands.expanded(load, shape)),
  }

  /** Depth first, so that arguments precede their uses. Groups are small, so linear search is fine. */
  function collect(part: Node, root: boolean): void {
    if (order.includes(part) || loads.includes(part)) return
    if (!root && !fusion.isInlined(part)) {
      loads.push(part)
      return
    }
    for (const input of part.inputs) collect(input, false)
    order.push(part)
  }
}

function stepOf(node: Node, shape: Shape, register: ReadonlyMap<Node, number>): Step {
  const args = node.inputs.map((input) => register.get(input) as number)
  const from = node.inputs[node.op === 'where' ? 1 : 0]?.dtype ?? node.dtype
  const step = { op: node.op as string, dtype: node.dtype, from, args }
  if (isOp(node, 'iota')) {
    // Axes are aligned at the right, as in broadcasting.
    return { ...step, args: [shape.length - node.shape.length + node.attrs.axis] }
  }
  if (isOp(node, 'gelu') && node.attrs.tanh) return { ...step, op: 'geluTanh' }
  if (isOp(node, 'geluBackward') && node.attrs.tanh) return { ...step, op: 'geluTanhBackward' }
  return step
}
