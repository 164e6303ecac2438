// Reverse-mode differentiation: appends the nodes of the gradient to the same graph.
import * as g from '../graph/build.ts'
import { decompose } from '../graph/decompose.ts'
import { inScope, isOp, type Node } from '../graph/node.ts'
import type { Composite, Op, OpAttrs } from '../graph/ops.ts'
import { sameShape } from '../graph/shape.ts'
import { HeedError } from '../util/errors.ts'
import { compositeRules } from './composite-rules.ts'
import { primitiveRules, type Rule } from './rules.ts'

/** The rule of every operation: primitives and composites. */
const rules = { ...primitiveRules, ...compositeRules } satisfies Record<Op, unknown>

/**
 * The vector-Jacobian product: gradients of `roots`, weighted by `seeds`, with respect to `wrt`; null
 * for a node without a path. The walk stops at the nodes of `wrt`.
 */
export function gradients(
  roots: readonly Node[],
  seeds: readonly (Node | null)[],
  wrt: readonly Node[],
): (Node | null)[] {
  const ends = new Set(wrt)
  const arrived = new Map<Node, Node[][]>() // node -> the gradient terms of each output
  roots.forEach((root, i) => {
    const seed = seeds[i]
    if (seed) deliver(arrived, root, seed)
  })
  for (const node of trackedBefore(roots, ends)) {
    const terms = arrived.get(node)
    if (!terms || ends.has(node)) continue
    arrived.delete(node)
    inScope(backwardScope(node.scope), () => propagate(node, terms, arrived))
  }
  return wrt.map((node) => {
    const terms = arrived.get(node)
    return terms ? total(terms[0]) : null
  })
}

/** The state that `root` depends on and that requires gradients, in the order of creation. */
export function variablesOf(root: Node): Node[] {
  const found: Node[] = []
  const nodes = trackedBefore([root], null)
  for (const node of nodes) if (node.variable) found.push(node)
  return found.reverse()
}

function propagate(node: Node, terms: Node[][], arrived: Map<Node, Node[][]>): void {
  if (isOp(node, 'pick')) {
    deliver(arrived, node.inputs[0], total(terms[0]), node.attrs.index)
    return
  }
  if (node.released)
    throw new HeedError(
      'invalid-state',
      `backward() must be called while the graph exists, got a graph that was already freed (at ${node.op})`,
      {
        remedy: 'Compute the loss again for each step, and call backward() once per loss.',
      },
    )
  const grads = Array.from({ length: node.forms?.length ?? 1 }, (_, i) =>
    terms[i]?.length ? total(terms[i]) : null,
  )
  const dy = grads[0] ?? g.zerosLike(node)
  const rule = rules[node.op] as (...args: Parameters<Rule<Op>>) => (Node | null)[] | null
  const found = rule(node, dy, grads) ?? throughDecomposition(node as Node<Composite>, grads)
  found.forEach((grad, i) => {
    const input = node.inputs[i]
    if (grad && input.tracked) deliver(arrived, input, grad)
  })
}

/** Differentiates the decomposition of a composite with respect to the composite's inputs. */
function throughDecomposition<C extends Composite>(
  node: Node<C>,
  grads: (Node | null)[],
): (Node | null)[] {
  const expand = decompose[node.op] as (inputs: readonly Node[], attrs: OpAttrs[C]) => Node[]
  // Aliases keep the gradients separate when the same node is passed as two inputs.
  const inputs = node.inputs.map((x) => (x.tracked ? g.alias(x) : x))
  return gradients(expand(inputs, node.attrs), grads, inputs)
}

function deliver(arrived: Map<Node, Node[][]>, node: Node, grad: Node, output = 0): void {
  let terms = arrived.get(node)
  if (!terms) {
    terms = []
    arrived.set(node, terms)
  }
  terms[output] ??= []
  terms[output].push(grad)
}

/** The sum of all gradient terms, as a concatenation or a single matrix product where possible. */
function total(terms: Node[]): Node {
  return tiled(terms) ?? joined(terms) ?? terms.reduce((a, b) => g.add(a, b))
}

/**
 * Σ AᵢᵀBᵢ as a single product of all Aᵢ and all Bᵢ concatenated: the gradient of a weight that a
 * recurrent network uses at each step. Only if the concatenation moves less memory than the sum would.
 */
function joined(terms: Node[]): Node | null {
  if (terms.length < 2) return null
  const order = sameOrder(terms)
  if (order) {
    const inner = joined(terms.map((part) => part.inputs[0]))
    return inner && g.permute(inner, order)
  }
  const products: Node<'matmul'>[] = []
  for (const part of terms) {
    if (!isOp(part, 'matmul')) return null
    products.unshift(part) // the last term belongs to the first step
  }
  const [rows, columns] = terms[0].shape.slice(-2)
  const axis = terms[0].shape.length - 2
  let inner = 0
  for (const { inputs, shape } of products) {
    if (inputs.some((x) => !sameShape(x.shape.slice(0, -2), shape.slice(0, -2)))) return null
    inner += inputs[1].shape[axis]
  }
  if (inner * (rows + columns) >= terms.length * rows * columns) return null
  const left = products.map(({ inputs: [a] }) => g.transpose(a))
  const right = products.map(({ inputs: [, b] }) => b)
  return g.matmul(g.transpose(g.concat(left, axis)), g.concat(right, axis))
}

/** Terms that are zero-padded slices of one axis without overlap (from `split`) are concatenated. */
function tiled(terms: Node[]): Node | null {
  if (terms.length < 2) return null
  const pads: Node<'pad'>[] = []
  for (const part of terms) {
    if (!isOp(part, 'pad')) return null
    pads.push(part)
  }
  const { shape } = terms[0]
  const axis = pads[0].inputs[0].shape.findIndex((n, i) => n !== shape[i])
  pads.sort((a, b) => a.attrs.before[axis] - b.attrs.before[axis])
  let end = 0
  for (const { inputs, attrs } of pads) {
    const size = inputs[0].shape
    if (attrs.before[axis] !== end) return null
    if (size.some((n, i) => i !== axis && n !== shape[i])) return null
    end += size[axis]
  }
  if (end !== shape[axis]) return null
  return g.concat(
    pads.map((p) => p.inputs[0]),
    axis,
  )
}

/** The order of axes if all terms are permuted in the same order; otherwise null. */
function sameOrder(terms: Node[]): readonly number[] | null {
  const [first] = terms
  if (!isOp(first, 'permute')) return null
  const { order } = first.attrs
  const same = (part: Node): boolean =>
    isOp(part, 'permute') && part.attrs.order.every((axis, i) => axis === order[i])
  return terms.every(same) ? order : null
}

let walk = 0

/** Tracked nodes that `roots` depend on, newest first. Stops at `ends`, or at variables if `ends` is null. */
function trackedBefore(roots: readonly Node[], ends: ReadonlySet<Node> | null): Node[] {
  walk++
  const found: Node[] = []
  const stack: Node[] = []
  const visit = (node: Node): void => {
    if (!node.tracked || node.gradientWalk === walk) return
    node.gradientWalk = walk
    found.push(node)
    stack.push(node)
  }
  roots.forEach(visit)
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (ends ? ends.has(node) : node.variable) continue
    node.inputs.forEach(visit)
  }
  return found.sort((a, b) => b.id - a.id)
}

const scopes = new Map<string, string>()

function backwardScope(scope: string): string {
  let name = scopes.get(scope)
  if (name === undefined) {
    name = scope ? `${scope} (backward)` : '(backward)'
    scopes.set(scope, name)
  }
  return name
}
