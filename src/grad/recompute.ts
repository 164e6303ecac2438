// Gradient checkpointing: what lies between the inputs and the value is built a second time for the
// backward pass, behind a barrier, so that the first copy's memory is free in between.
import * as g from '../graph/build.ts'
import { isOp, Node } from '../graph/node.ts'
import { gradients } from './backward.ts'

/**
 * A node with the value of `value`, whose gradient computes everything behind it again, as far back
 * as `inputs` and nodes that are older than `since`.
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

/** Everything that `value` is made of behind `inputs`, oldest first, as far as what lies outside. */
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

/** State, or a value that is there: what lies behind is not computed again. */
const isEnd = (node: Node): boolean =>
  node.variable !== null || node.place !== null || node.data !== null

/** The same graph again on the twins. Leaves and run-time numbers are shared, so draws repeat. */
function copy(value: Node, inner: Node[], twins: Map<Node, Node>, dy: Node, since: number): Node {
  for (const node of inner) {
    if (twins.has(node)) continue
    // One that has been read in the meantime is computed again all the same: gradients go through.
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
