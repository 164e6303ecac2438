// Gradient checkpointing: the backward pass builds the nodes between the inputs and the value a second
// time, after a barrier, so that the memory of the first copy is free in between.
import * as g from '../graph/build.ts'
import { isOp, Node } from '../graph/node.ts'
import { gradients } from './backward.ts'

/**
 * A node with the same value as `value`. Its backward pass recomputes everything that `value` depends
 * on, back to `inputs` and to nodes with ids below `since`.
 */
export function recompute(value: Node, inputs: readonly Node[], since = 0): Node {
  const isOutside = (node: Node): boolean => isEnd(node) || node.id < since
  const inner = inside(value, inputs, isOutside)
  const captured = inner.filter((node) => isOutside(node) && (node.tracked || node.variable))
  const wrt = [...inputs, ...captured]
  const out = g.make('customVjp', [g.stopGradient(value), ...wrt], {})
  out.rule = (_, [dy]) => {
    if (!dy) return []
    const twins = new Map<Node, Node>()
    for (const x of inputs) twins.set(x, fresh(g.barrier(x, [dy]), x))
    for (const x of captured) twins.set(x, fresh(g.alias(x), x))
    const again = copy(value, inner, twins, dy, since)
    const sources = wrt.map((x) => twins.get(x) as Node)
    return [null, ...gradients([again], [dy], sources)]
  }
  return out
}

function fresh(node: Node, like: Node): Node {
  node.tracked = like.tracked
  return node
}

/** All nodes that `value` depends on, oldest first, without `inputs`; stops at nodes that are outside. */
function inside(value: Node, inputs: readonly Node[], isOutside: (node: Node) => boolean): Node[] {
  const seen = new Set<Node>(inputs)
  const found: Node[] = []
  const stack = [value]
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    found.push(node)
    if (!isOutside(node)) stack.push(...node.inputs)
  }
  return found.sort((a, b) => a.id - b.id)
}

/** Whether a node is state or already has a value, so that its inputs need not be recomputed. */
const isEnd = (node: Node): boolean =>
  node.variable !== null || node.place !== null || node.data !== null

/** Copies the graph onto the twins. Leaves and run-time numbers are shared, so random draws repeat. */
function copy(value: Node, inner: Node[], twins: Map<Node, Node>, dy: Node, since: number): Node {
  for (const node of inner) {
    if (twins.has(node)) continue
    // A tracked node is copied even if its value has been read meanwhile: gradients flow through it.
    const shared = node.inputs.length === 0 || node.id < since
    if (shared || (isEnd(node) && !node.tracked)) {
      twins.set(node, node)
      continue
    }
    const inputs = node.inputs.map((x) => twins.get(x) ?? x)
    const twin = isOp(node, 'pick')
      ? g.pick(inputs[0], node.attrs.index)
      : new Node(node.op, inputs, node.attrs, node.forms ?? node)
    twin.value = node.value
    twin.rule = node.rule
    twin.host = node.host
    twins.set(node, twin)
  }
  return twins.get(value) ?? g.barrier(value, [dy])
}
