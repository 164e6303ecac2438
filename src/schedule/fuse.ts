// Fusion: element-wise nodes that are computed inside the kernel of another node, so that their values
// never reach memory. A group has one root, which is stored (or reduced); all readers of the other
// members are in the same group.
import type { Node } from '../graph/node.ts'
import { elementwiseOps, reduceOps } from '../graph/ops.ts'
import { type Shape, sameShape } from '../graph/shape.ts'
import type { Lowered } from './lower.ts'
import { type Biases, usersOf } from './match-bias.ts'
import type { Limits } from './schedule.ts'

export interface Fusion {
  /** Whether a node is computed inside the kernels that read it. A generator may be inlined in several groups. */
  isInlined(node: Node): boolean
  users(node: Node): readonly Node[]
}

/** Element-wise composites for which a device may have an instruction. */
const pointwiseComposites: ReadonlySet<string> = new Set([
  'gelu',
  'geluBackward',
  'silu',
  'siluBackward',
])

export const isPointwise = (node: Node): boolean =>
  elementwiseOps.has(node.op) || pointwiseComposites.has(node.op)

const isGenerator = (node: Node): boolean => node.op === 'iota' || node.op === 'random'

export function fuse(graph: Lowered, limits: Limits, biases: Biases): Fusion {
  const users = usersOf(graph.nodes)
  const rootOf = new Map<Node, Node>()
  const inlined = new Set<Node>(biases.products)
  const apart = (node: Node): boolean => biases.sums.has(node)
  const sizes = new Map<Node, number>()
  const stored = new Set(graph.outputs)

  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]
    if (reduceOps.has(node.op)) rootOf.set(node, node)
    if (isGenerator(node)) {
      if (!stored.has(node) && (users.get(node) ?? []).every((user) => mayGenerate(node, user)))
        inlined.add(node)
      continue
    }
    if (!isPointwise(node)) continue
    const root = stored.has(node) || apart(node) ? null : commonRoot(node)
    if (root) {
      inlined.add(node)
      rootOf.set(node, root)
      sizes.set(root, (sizes.get(root) ?? 1) + 1)
    } else rootOf.set(node, node)
  }
  return {
    isInlined: (node) => inlined.has(node),
    users: (node) => users.get(node) ?? [],
  }

  /** The root of the group that contains all readers, if it loops over this node's shape and has room. */
  function commonRoot(node: Node): Node | null {
    const readers = users.get(node)
    if (!readers) return null
    let root: Node | null = null
    for (const reader of readers) {
      const other = rootOf.get(reader)
      if (!other || apart(reader) || (root && other !== root)) return null
      if (!sameShape(walkedShape(reader), node.shape)) return null
      root = other
    }
    // A step has up to 3 inputs, and each may need a separate load.
    const size = root ? (sizes.get(root) ?? 1) : 0
    return size < Math.min(limits.steps / 2, limits.inputs / 2) ? root : null
  }
}

/** The shape over which a kernel of this node loops. */
const walkedShape = (node: Node): Shape =>
  reduceOps.has(node.op) ? node.inputs[0].shape : node.shape

/** Whether the kernel of `user` can compute the generator's values itself. */
function mayGenerate(node: Node, user: Node): boolean {
  if (reduceOps.has(user.op)) return node.op === 'iota' && sameShape(walkedShape(user), node.shape)
  if (!isPointwise(user)) return false
  if (node.op === 'random') return sameShape(user.shape, node.shape)
  const { axis } = node.attrs as { axis: number }
  return node.shape[axis] === user.shape[user.shape.length - node.shape.length + axis]
}
