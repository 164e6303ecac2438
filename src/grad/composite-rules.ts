// The vector-Jacobian product of every composite. Where a device may have a kernel, the gradient is a
// composite too. A rule that returns null means "differentiate the decomposition": for gradients of
// gradients, and for gradients of outputs that only backward passes read.
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import type { Composite } from '../graph/ops.ts'
import type { Rule } from './rules.ts'

type CompositeRule<C extends Composite> = (...args: Parameters<Rule<C>>) => (Node | null)[] | null

export const compositeRules: { [C in Composite]: CompositeRule<C> } = {
  gelu: ({ inputs: [x], attrs }, dy) => [g.make('geluBackward', [x, dy], attrs)],
  silu: ({ inputs: [x] }, dy) => [g.make('siluBackward', [x, dy], {})],
  softmax: (y, dy) => [g.make('softmaxBackward', [y, dy], {})],
  logSoftmax: (y, dy) => [g.make('logSoftmaxBackward', [y, dy], {})],
  layerNorm: (node, dy, grads) => {
    if (grads[1] || grads[2]) return null
    const [x, gamma] = node.inputs
    const inputs = [x, gamma, g.pick(node, 1), g.pick(node, 2), dy]
    return g.outputs(g.make('layerNormBackward', inputs, {}))
  },
  rmsNorm: (node, dy, grads) => {
    if (grads[1]) return null
    const [x, gamma] = node.inputs
    return g.outputs(g.make('rmsNormBackward', [x, gamma, g.pick(node, 1), dy], {}))
  },
  channelNorm: (node, dy, grads) => {
    if (grads[1] || grads[2]) return null
    const [x, gamma] = node.inputs
    const inputs = [x, gamma, g.pick(node, 1), g.pick(node, 2), dy]
    return g.outputs(g.make('channelNormBackward', inputs, node.attrs))
  },
  crossEntropy: (node, dy, grads) => {
    if (grads[1]) return null
    const [logits, target] = node.inputs
    const inputs = [logits, target, g.pick(node, 1), dy]
    return [g.make('crossEntropyBackward', inputs, node.attrs), null]
  },
  // The gradients are computed with the loss. That of `share` needs the loss of each row.
  linearCrossEntropy: (node, dy, grads) => {
    if (grads[1] || grads[2] || node.inputs[3].tracked) return null
    const [dstates, dw] = g.outputs(node).slice(1)
    return [g.mul(dstates, dy), dw && g.mul(dw, dy), null, null]
  },
  attention: (node, dy, grads) => {
    if (grads[1]) return null
    const [q, k, v, ...options] = node.inputs
    const inputs = [q, k, v, g.pick(node, 0), g.pick(node, 1), dy, ...options]
    return g.outputs(g.make('attentionBackward', inputs, node.attrs))
  },
  dropout: ({ inputs: [, seed, draw], attrs }, dy) => [g.make('dropout', [dy, seed, draw], attrs)],
  // Images, weights and results form one trilinear sum: the gradient of each operation is the other two.
  convolution: ({ inputs: [x, w], attrs }, dy) => [
    g.make('convolutionInput', [dy, w], { ...attrs, size: x.shape.slice(2) }),
    g.make('convolutionWeight', [x, dy], { ...attrs, kernel: w.shape.slice(2) }),
  ],
  convolutionInput: ({ inputs: [dy, w], attrs: { size, ...attrs } }, u) => [
    g.make('convolution', [u, w], attrs),
    g.make('convolutionWeight', [u, dy], { ...attrs, kernel: w.shape.slice(2) }),
  ],
  convolutionWeight: ({ inputs: [x, dy], attrs: { kernel, ...attrs } }, v) => [
    g.make('convolutionInput', [dy, v], { ...attrs, size: x.shape.slice(2) }),
    g.make('convolution', [x, v], attrs),
  ],
  maxPool: (node, dy) => {
    const size = node.inputs[0].shape.slice(2)
    return [g.make('maxPoolBackward', [g.pick(node, 1), dy], { ...node.attrs, size })]
  },
  // Quantised weights have no gradient.
  matmulQuantized: ({ inputs: [, w], attrs }, dy) => [
    g.matmulQuantizedInput(dy, w, attrs.format),
    null,
  ],
  matmulQuantizedInput: ({ inputs: [, w], attrs }, u) => [
    g.matmulQuantized(u, w, attrs.format),
    null,
  ],

  geluBackward: () => null,
  siluBackward: () => null,
  softmaxBackward: () => null,
  logSoftmaxBackward: () => null,
  layerNormBackward: () => null,
  rmsNormBackward: () => null,
  channelNormBackward: () => null,
  crossEntropyBackward: () => null,
  attentionBackward: () => null,
  maxPoolBackward: () => null,
  adamw: () => null,
}
