// Lowering, from the user's graph to the graph that a device runs: composites that the device lacks are
// decomposed, equal nodes are merged, and unused ones are dropped. The result holds shapes but no
// memory of tensors, so a cached program keeps nothing alive.
import * as g from '../graph/build.ts'
import { decompose } from '../graph/decompose.ts'
import { inScope, isOp, Node } from '../graph/node.ts'
import { type Composite, compositeOps, type Op, type OpAttrs } from '../graph/ops.ts'
import { sameShape } from '../graph/shape.ts'

/** A graph of primitives and of composites that the device runs whole, in the order of execution. */
export interface Lowered {
  /** All operations, each after its inputs. */
  nodes: Node[]
  /** Memory passed to the program: one `buffer` node for each leaf. */
  leaves: Node[]
  /** Run-time numbers, in the order in which they are bound. Other `scalar` nodes are literals. */
  scalars: Node[]
  /** Values that are kept. An assignment writes to the memory of its leaf and needs no other. */
  outputs: Node[]
  /** Host calls, in the order of execution. */
  hosts: Node[]
}

/**
 * Lowers a traced graph for a device that runs `composites` whole.
 * @param nodes the graph in topological order; nodes without inputs are leaves, scalars and generators
 * @param isLeaf whether the value of a node exists already
 */
export function lower(
  nodes: readonly Node[],
  outputs: readonly Node[],
  isLeaf: (node: Node) => boolean,
  composites: ReadonlySet<Composite>,
): Lowered {
  const lowering = new Lowering(composites)
  for (const node of nodes) lowering.accept(node, isLeaf(node))
  const kept = outputs.map((node) => lowering.output(node))
  const live = reachable([...kept, ...lowering.effects])
  return {
    nodes: lowering.nodes.filter((node) => live.has(node)),
    leaves: lowering.leaves,
    scalars: lowering.scalars,
    outputs: kept,
    hosts: lowering.hosts,
  }
}

class Lowering {
  readonly nodes: Node[] = []
  readonly leaves: Node[] = []
  readonly scalars: Node[] = []
  readonly hosts: Node[] = []
  readonly effects: Node[] = []
  readonly composites: ReadonlySet<Composite>
  /** Old node -> its outputs in the new graph. */
  private readonly images = new Map<Node, Node[]>()
  private readonly twins = new Map<string, Node>()

  constructor(composites: ReadonlySet<Composite>) {
    this.composites = composites
  }

  get(node: Node): Node {
    return (this.images.get(node) as Node[])[0]
  }

  /** The image of an output. The value of an assignment that has another memory is a copy. */
  output(node: Node): Node {
    const image = this.get(node)
    if (node.op === image.op || !(isOp(image, 'assign') || isOp(image, 'assignAt'))) return image
    return this.twin(`copy:${image.id}`, () => {
      const { shape } = image
      return new Node('reshape', [image], { shape }, image)
    })
  }

  accept(node: Node, isLeaf: boolean): void {
    if (isLeaf) {
      const { shape, dtype } = node
      const leaf = this.keep(new Node('buffer', [], { shape, dtype }, node))
      this.leaves.push(leaf)
      this.images.set(node, [leaf])
    } else if (isOp(node, 'scalar')) {
      const scalar = this.keep(new Node('scalar', [], node.attrs, node))
      this.scalars.push(scalar)
      this.images.set(node, [scalar])
    } else {
      this.images.set(
        node,
        inScope(node.scope, () => this.image(node)),
      )
    }
  }

  private image(node: Node): Node[] {
    if (isOp(node, 'pick')) {
      const all = this.images.get(node.inputs[0]) as Node[]
      return [all[node.attrs.index]]
    }
    const inputs = node.inputs.map((input) => this.get(input))
    if (transparent.has(node.op)) return [inputs[0]]
    if (compositeOps.has(node.op) && !this.composites.has(node.op as Composite))
      return this.decomposed(node as Node<Composite>, inputs)
    return this.emit(node, inputs)
  }

  private decomposed(node: Node<Composite>, inputs: Node[]): Node[] {
    const rule = decompose[node.op] as (inputs: Node[], attrs: OpAttrs[Composite]) => Node[]
    const known = new Set(inputs)
    const results = rule(inputs, node.attrs)
    for (const input of inputs) this.images.set(input, [input])
    for (const part of between(results, known))
      this.images.set(part, isOp(part, 'scalar') ? [this.literal(part)] : this.image(part))
    return results.map((part) => this.get(part))
  }

  private literal(node: Node<'scalar'>): Node {
    const key = `literal ${node.dtype} ${Object.is(node.value, -0) ? '-0' : node.value}`
    return this.twin(key, () => {
      const copy = new Node('scalar', [], node.attrs, node)
      copy.value = node.value
      return copy
    })
  }

  private emit(node: Node, inputs: Node[]): Node[] {
    const simple = simplify(node, inputs)
    if (simple) return [simple]
    const copy = (): Node => {
      const made = new Node(node.op, inputs, node.attrs, node.forms ?? node)
      made.value = node.value
      return made
    }
    if (single.has(node.op)) {
      const made = this.keep(copy())
      if (node.op === 'hostCall') this.hosts.push(made)
      if (node.op !== 'barrier') this.effects.push(made)
      return [made]
    }
    const key = `${node.signature}:${inputs.map((x) => x.id).join()}`
    const made = this.twin(key, copy)
    if (!made.forms) return [made]
    return made.forms.map((_, index) => this.twin(`${key}:${index}`, () => g.pick(made, index)))
  }

  private twin(key: string, make: () => Node): Node {
    let node = this.twins.get(key)
    if (!node) {
      node = this.keep(make())
      this.twins.set(key, node)
    }
    return node
  }

  private keep(node: Node): Node {
    this.nodes.push(node)
    return node
  }
}

/** Operations that affect gradients only: the value is the first input. */
const transparent: ReadonlySet<string> = new Set<Op>(['stopGradient', 'customVjp'])

/** Operations that are never merged with an equal node. */
const single: ReadonlySet<string> = new Set<Op>(['assign', 'assignAt', 'hostCall', 'barrier'])

/** An input that equals the result (x + 0, x · 1, …), or null. */
function simplify(node: Node, [a, b, c]: Node[]): Node | null {
  const is = (x: Node, value: number): boolean =>
    isOp(x, 'constant')
      ? x.attrs.value === value
      : (isOp(x, 'expand') || isOp(x, 'reshape')) && is(x.inputs[0], value)
  const plain = (x: Node): Node | null => (sameShape(x.shape, node.shape) ? x : null)
  switch (node.op) {
    case 'reshape':
    case 'expand':
      return plain(a)
    case 'add':
      return is(b, 0) ? plain(a) : is(a, 0) ? plain(b) : null
    case 'mul':
      return is(b, 1) ? plain(a) : is(a, 1) ? plain(b) : null
    case 'sub':
      return is(b, 0) ? plain(a) : null
    case 'div':
      return is(b, 1) ? plain(a) : null
    case 'where':
      return b === c ? plain(b) : null
    default:
      return null
  }
}

/** The nodes from `known` (excluded) to `results` (included), in topological order. */
function between(results: readonly Node[], known: ReadonlySet<Node>): Node[] {
  const all = reachable(results, known)
  return [...all].filter((node) => !known.has(node)).sort((x, y) => x.id - y.id)
}

function reachable(roots: readonly Node[], stop: ReadonlySet<Node> = new Set()): Set<Node> {
  const seen = new Set<Node>()
  const stack = [...roots]
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    if (!stop.has(node)) stack.push(...node.inputs)
  }
  return seen
}
