// Looking for the origin of NaN: every operation of a graph is computed once more, and checked.
import { outputs } from '../graph/build.ts'
import { type Node, untracked } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
import { tensorOf } from './core.ts'
import { cat } from './create.ts'
import type { Tensor } from './tensor.ts'

/** Where NaN first appears in a graph. */
export interface NaNOrigin {
  /** Path of the module: `h.3.attn`; '' outside of modules. */
  module: string
  /** The operation, such as `log`; `buffer` where a parameter or data holds NaN. */
  operation: string
  shape: Shape
  /** Whether an input of the operation was infinite: ∞ - ∞, 0·∞ and the like are NaN. */
  infiniteInput: boolean
}

/** The earliest operation behind these nodes with NaN in its result; null if there is none. */
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

/** bool (2·N): whether each node has NaN, then whether it has infinities. */
function flagsOf(nodes: readonly Node[]): Tensor {
  const any = (node: Node, test: (x: Tensor) => Tensor): Tensor =>
    outputs(node)
      .filter(({ dtype }) => dtype === 'f32')
      .map((x) => test(tensorOf(x)).any().reshape(1))
      .reduce((a, b) => a.logicalOr(b))
  const tests = [(x: Tensor) => x.isnan(), (x: Tensor) => x.isinf()]
  return cat(tests.flatMap((test) => nodes.map((node) => any(node, test))))
}

/** Outputs of a node are checked with it. */
const hasFloats = (node: Node): boolean =>
  node.op !== 'pick' &&
  (node.forms ?? [node]).some(({ dtype, shape }) => dtype === 'f32' && !shape.includes(0))

const sourceOf = (node: Node): Node => (node.op === 'pick' ? node.inputs[0] : node)

/** In the order of making. */
function nodesBehind(roots: readonly Node[]): Node[] {
  const all = new Set<Node>(roots)
  for (const node of all) for (const input of node.inputs) all.add(input)
  return [...all].sort((a, b) => a.id - b.id)
}
