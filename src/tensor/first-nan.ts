// Finds the origin of NaN by computing every operation of a graph again.
import { outputs } from '../graph/build.ts'
import { type Node, untracked } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
import { tensorOf } from './core.ts'
import { cat } from './create.ts'
import type { Tensor } from './tensor.ts'

/** The first operation of a graph whose result contains NaN. */
export interface NaNOrigin {
  /** Path of the module, such as `h.3.attn`; '' outside modules. */
  module: string
  /** The operation, such as `log`; `buffer` if a parameter or data contains NaN. */
  operation: string
  /** Shape of the operation's result. */
  shape: Shape
  /** Whether an input of the operation was infinite. ∞ - ∞ and 0·∞ are NaN. */
  infiniteInput: boolean
}

/** Returns the first operation on which these nodes depend whose result contains NaN; null if there is none. */
export async function firstNaN(
  roots: readonly Node[],
): Promise<{ node: Node; origin: NaNOrigin } | null> {
  const nodes = nodesBehind(roots).filter(hasFloats)
  if (nodes.length === 0) return null
  const flags = await untracked(() => flagsOf(nodes)).data()
  const [holes, infinities] = [flags.slice(0, nodes.length), flags.slice(nodes.length)]
  const first = holes.indexOf(1)
  if (first < 0) return null
  const node = nodes[first]
  const isInfinite = (input: Node): boolean => infinities[nodes.indexOf(sourceOf(input))] === 1
  const { op: operation, shape, scope: module } = node
  const infiniteInput = node.inputs.some(isInfinite)
  return { node, origin: { module, operation, shape, infiniteInput } }
}

/** bool (2·N): for each node whether it contains NaN, then for each whether it contains infinities. */
function flagsOf(nodes: readonly Node[]): Tensor {
  const any = (node: Node, test: (x: Tensor) => Tensor): Tensor =>
    outputs(node)
      .filter(({ dtype }) => dtype === 'f32')
      .map((x) => test(tensorOf(x)).any().reshape(1))
      .reduce((a, b) => a.logicalOr(b))
  const tests = [(x: Tensor) => x.isnan(), (x: Tensor) => x.isinf()]
  return cat(tests.flatMap((test) => nodes.map((node) => any(node, test))))
}

/** Excludes `pick` nodes, because the outputs of a node are checked together with it. */
const hasFloats = (node: Node): boolean =>
  node.op !== 'pick' &&
  (node.forms ?? [node]).some(({ dtype, shape }) => dtype === 'f32' && !shape.includes(0))

const sourceOf = (node: Node): Node => (node.op === 'pick' ? node.inputs[0] : node)

/** All nodes on which the roots depend, in the order of creation. */
function nodesBehind(roots: readonly Node[]): Node[] {
  const all = new Set<Node>(roots)
  for (const node of all) for (const input of node.inputs) all.add(input)
  return [...all].sort((a, b) => a.id - b.id)
}
