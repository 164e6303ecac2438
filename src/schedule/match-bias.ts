// Computes product + bias in one kernel, which adds the bias while the tile of the product is in registers. A sum of
// products is accumulated in one matrix.
import { isOp, type Node } from '../graph/node.ts'
import { sameShape } from '../graph/shape.ts'
import type { Lowered } from './lower.ts'

export type Product = Node<'matmul'> | Node<'matmulQuantized'>

interface Match {
  product: Product
  bias: Node
}

export interface Biases {
  /** Sum -> its product and bias. */
  sums: Map<Node, Match>
  /** Products that are computed with their sum, and the reshapes between the two. */
  products: Set<Node>
}

export function matchBias(graph: Lowered): Biases {
  const users = usersOf(graph.nodes)
  const kept = new Set(graph.outputs)
  const biases: Biases = { sums: new Map(), products: new Set() }
  for (const node of graph.nodes) {
    if (!isOp(node, 'add')) continue
    const [left, right] = node.inputs
    const match = matched(node, left, right) ?? matched(node, right, left)
    if (match) biases.sums.set(node, match)
  }
  return biases

  function matched(sum: Node, value: Node, addend: Node): Match | null {
    const onlyReader = (node: Node): boolean => users.get(node)?.length === 1 && !kept.has(node)
    const reshape = isOp(value, 'reshape') ? value : null
    const product = reshape ? reshape.inputs[0] : value
    if (!isProduct(product) || addend === value || !sameShape(value.shape, sum.shape)) return null
    const bias = isRow(addend, product) ? addend : otherProduct(addend, product)
    if (!bias || !onlyReader(value) || !onlyReader(product)) return null
    biases.products.add(product)
    if (reshape) biases.products.add(reshape)
    return { product, bias }
  }

  /** The matrix of another product, or of a sum with one, if `product` can be accumulated into it. */
  function otherProduct(addend: Node, product: Product): Node | null {
    if (!isOp(product, 'matmul')) return null
    const source = isOp(addend, 'reshape') ? addend.inputs[0] : addend
    if (!isProduct(source) && !biases.sums.has(source)) return null
    return [source, addend].find(({ shape }) => sameShape(shape, product.shape)) ?? null
  }
}

export const isProduct = (node: Node): node is Product =>
  isOp(node, 'matmul') || isOp(node, 'matmulQuantized')

/** A bias of the columns of a product. */
const isRow = ({ shape }: Node, product: Node): boolean =>
  shape.length === 1 && shape[0] === product.shape.at(-1)

export function usersOf(nodes: readonly Node[]): Map<Node, Node[]> {
  const users = new Map<Node, Node[]>()
  for (const node of nodes)
    for (const input of node.inputs) {
      const list = users.get(input)
      if (!list) users.set(input, [node])
      else if (list.at(-1) !== node) list.push(node)
    }
  return users
}
