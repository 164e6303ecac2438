// Computes product + bias in one kernel, which adds the bias while the tile of the product is in registers.
import { isOp, type Node } from '../graph/node.ts'
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

  function matched(sum: Node, value: Node, bias: Node): Match | null {
    const onlyReader = (node: Node): boolean => users.get(node)?.length === 1 && !kept.has(node)
    const reshape = isOp(value, 'reshape') ? value : null
    const product = reshape ? reshape.inputs[0] : value
    const width = sum.shape.at(-1)
    const fits =
      (isOp(product, 'matmul') || isOp(product, 'matmulQuantized')) &&
      bias.shape.length === 1 &&
      bias.shape[0] === width &&
      product.shape.at(-1) === width &&
      value.shape.length === sum.shape.length &&
      value.shape.every((n, i) => n === sum.shape[i]) &&
      onlyReader(value) &&
      onlyReader(product) &&
      bias !== value
    if (!fits) return null
    biases.products.add(product)
    if (reshape) biases.products.add(reshape)
    return { product, bias }
  }
}

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
