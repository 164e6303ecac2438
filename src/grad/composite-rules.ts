// The vector-Jacobian product of every composite. Where a device may have a kernel, the gradient is
// again a composite; gradients of those, and of outputs that only backward passes read, go through
// the decomposition.
import * as g from '../graph/build.ts'
import { decompose } from '../graph/decompose.ts'
import type { Node } from '../graph/node.ts'
import type { Composite, OpAttrs } from '../graph/ops.ts'
import { gradients } from './backward.ts'
import type { Rule } from './rules.ts'

export const compositeRules: { [C in Composite]: Rule<C> } = {
  gelu: ({ inputs: [x], attrs }, dy) => [g.make('geluBackward', [x, dy], attrs)],
  silu: ({ inputs: [x] }, dy) => [g.make('siluBackward', [x, dy], {})],
  softmax: (y, dy) => [g.make('softmaxBackward', [y, dy], {})],
  logSoftmax: (y, dy) => [g.make('logSoftmaxBackward', [y, dy], {})],
  layerNorm: (node, dy, grads) => {
    if (grads[1] || grads[2]) return throughDecomposition(node, grads)
    const [x, gamma] = node.inputs
    const inputs = [x, gamma, g.pick(node, 1), g.pick(node, 2), dy]
    return g.outputs(g.make('layerNormBackward', inputs, {}))
  },
  rmsNorm: (node, dy, grads) => {
    if (grads[1]) return throughDecomposition(node, grads)
    const [x, gamma] = node.inputs
    return g.outputs(g.make('rmsNormBackward', [x, gamma, g.pick(node, 1), dy], {}))
  },
  crossEntropy: (node, dy, grads) => {
    if (grads[1]) return throughDecomposition(node, grads)
    const [logits, target] = node.inputs
    const inputs = [logits, target, g.pick(node, 1), dy]
    return [g.make('crossEntropyBackward', inputs, node.attrs), null]
  },
  attention: (node, dy, grads) => {
    if (grads[1]) return throughDecomposition(node, grads)
    const [q, k, v, ...options] = node.inputs
    const inputs = [q, k, v, g.pick(node, 0), g.pick(node, 1), dy, ...options]
    return g.outputs(g.make('attentionBackward', inputs, node.attrs))
  },
  dropout: ({ inputs: [, seed, draw], attrs }, dy) => [g.make('dropout', [dy, seed, draw], attrs)],

  geluBackward: (node, _, grads) => throughDecomposition(node, grads),
  siluBackward: (node, _, grads) => throughDecomposition(node, grads),
  softmaxBackward: (node, _, grads) => throughDecomposition(node, grads),
  logSoftmaxBackward: (node, _, grads) => throughDecomposition(node, grads),
  layerNormBackward: (node, _, grads) => throughDecomposition(node, grads),
  rmsNormBackward: (node, _, grads) => throughDecomposition(node, grads),
  crossEntropyBackward: (node, _, grads) => throughDecomposition(node, grads),
  attentionBackward: (node, _, grads) => throughDecomposition(node, grads),
  adamw: (node, _, grads) => throughDecomposition(node, grads),
}

/** Differentiates what the composite means, with the composite's own inputs as the variables. */
function throughDecomposition<C extends Composite>(
  node: Node<C>,
  grads: (Node | null)[],
): (Node | null)[] {
  const expand = decompose[node.op] as (inputs: readonly Node[], attrs: OpAttrs[C]) => Node[]
  // Fresh names for the inputs: one that appears twice gets each of its gradients apart.
  const inputs = node.inputs.map((x) => (x.tracked ? g.alias(x) : x))
  return gradients(expand(inputs, node.attrs), grads, inputs)
}
