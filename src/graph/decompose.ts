// The definition of each composite in primitives, as one total table. The reference device runs these
// decompositions, other devices may, and higher-order gradients are derived from them.
import * as g from './build.ts'
import type { Form, Node } from './node.ts'
import type { AttentionAttrs, Composite, ConvolutionAttrs, OpAttrs } from './ops.ts'
import { countOf, type Shape } from './shape.ts'

/** Returns the outputs in the order of the composite's forms. */
export type Decomposition<C extends Composite> = (
  inputs: readonly Node[],
  attrs: OpAttrs[C],
) => Node[]

const SQRT_HALF = Math.SQRT1_2
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715 // Hendrycks and Gimpel (2016), section 2

const last = (x: Form): number => x.shape.length - 1

export const decompose: { [C in Composite]: Decomposition<C> } = {
  gelu: ([x], { tanh }) => [g.mul(x, tanh ? tanhGate(x) : normalCdf(x))],

  // erf:  d x·Φ(x) = Φ(x) + x·φ(x)
  // tanh: d x·s(x) = s(x) + x·s'(x), s = (1 + tanh u)/2, s' = (1 - tanh² u)/2 · u'
  geluBackward: ([x, dy], { tanh }) => {
    if (!tanh) {
      const density = g.scale(g.exp(g.scale(g.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [g.mul(dy, g.add(normalCdf(x), g.mul(x, density)))]
    }
    const t = g.tanh(tanhArgument(x))
    const slope = g.scale(g.shift(g.scale(g.square(x), 3 * CUBIC), 1), SQRT_2_OVER_PI)
    const gate = g.scale(g.shift(t, 1), 0.5)
    const gateSlope = g.mul(g.scale(g.sub(g.constant(1), g.square(t)), 0.5), slope)
    return [g.mul(dy, g.add(gate, g.mul(x, gateSlope)))]
  },

  silu: ([x]) => [g.mul(x, g.unary('sigmoid', x))],

  // d x·σ = σ·(1 + x·(1 - σ))
  siluBackward: ([x, dy]) => {
    const s = g.unary('sigmoid', x)
    return [g.mul(dy, g.mul(s, g.shift(g.mul(x, g.sub(g.constant(1), s)), 1)))]
  },

  softmax: ([x]) => {
    const e = g.exp(g.sub(x, rowMax(x)))
    return [g.div(e, g.sum(e, [last(x)], true))]
  },

  // dx = y·(dy - Σ y·dy)
  softmaxBackward: ([y, dy]) => [g.mul(y, g.sub(dy, g.sum(g.mul(y, dy), [last(y)], true)))],

  logSoftmax: ([x]) => {
    const shifted = g.sub(x, rowMax(x))
    return [g.sub(shifted, g.log(g.sum(g.exp(shifted), [last(x)], true)))]
  },

  // dx = dy - exp(y)·Σ dy
  logSoftmaxBackward: ([y, dy]) => [g.sub(dy, g.mul(g.exp(y), g.sum(dy, [last(y)], true)))],

  layerNorm: ([x, gamma, beta], { eps }) => {
    const axis = [last(x)]
    const mean = g.mean(x, axis, true)
    const centred = g.sub(x, mean)
    const rstd = g.rsqrt(g.shift(g.mean(g.square(centred), axis, true), eps))
    const y = g.add(g.mul(g.mul(centred, rstd), gamma), beta)
    const rows = x.shape.slice(0, -1)
    return [y, g.reshape(mean, rows), g.reshape(rstd, rows)]
  },

  // With x̂ = (x - mean)·rstd and h = dy·γ:  dx = rstd·(h - mean(h) - x̂·mean(h·x̂))
  layerNormBackward: ([x, gamma, mean, rstd, dy]) => {
    const axis = [last(x)]
    const rows = [...x.shape.slice(0, -1), 1]
    const inverse = g.reshape(rstd, rows)
    const xhat = g.mul(g.sub(x, g.reshape(mean, rows)), inverse)
    const h = g.mul(dy, gamma)
    const along = g.mul(xhat, g.mean(g.mul(h, xhat), axis, true))
    const dx = g.mul(inverse, g.sub(g.sub(h, g.mean(h, axis, true)), along))
    return [dx, g.sumTo(g.mul(dy, xhat), gamma.shape), g.sumTo(dy, gamma.shape)]
  },

  rmsNorm: ([x, gamma], { eps }) => {
    const rstd = g.rsqrt(g.shift(g.mean(g.square(x), [last(x)], true), eps))
    return [g.mul(g.mul(x, rstd), gamma), g.reshape(rstd, x.shape.slice(0, -1))]
  },

  // With x̂ = x·rstd and h = dy·γ:  dx = rstd·(h - x̂·mean(h·x̂))
  rmsNormBackward: ([x, gamma, rstd, dy]) => {
    const inverse = g.reshape(rstd, [...x.shape.slice(0, -1), 1])
    const xhat = g.mul(x, inverse)
    const h = g.mul(dy, gamma)
    const dx = g.mul(inverse, g.sub(h, g.mul(xhat, g.mean(g.mul(h, xhat), [last(x)], true))))
    return [dx, g.sumTo(g.mul(dy, xhat), gamma.shape)]
  },

  channelNorm: ([x, gamma, beta], { groups, eps }) => {
    const { rows, axes } = channelGroups(x, groups)
    const mean = g.mean(rows, axes, true)
    const centred = g.sub(rows, mean)
    const variance = g.mean(g.square(centred), axes, true)
    const xhat = g.reshape(g.mul(centred, g.rsqrt(g.shift(variance, eps))), x.shape)
    const y = g.add(g.mul(xhat, g.unsqueeze(gamma, [1])), g.unsqueeze(beta, [1]))
    const kept = mean.shape.filter((_, i) => !axes.includes(i))
    return [y, g.reshape(mean, kept), g.reshape(variance, kept)]
  },

  // Like layerNormBackward, over the elements that share a mean and variance.
  channelNormBackward: ([x, gamma, mean, variance, dy], { groups, eps }) => {
    const { rows, axes } = channelGroups(x, groups)
    const apart = rows.shape.map((n, i) => (axes.includes(i) ? 1 : n))
    const inverse = g.reshape(g.rsqrt(g.shift(variance, eps)), apart)
    const xhat = g.mul(g.sub(rows, g.reshape(mean, apart)), inverse)
    const h = g.reshape(g.mul(dy, g.unsqueeze(gamma, [1])), rows.shape)
    const along = g.mul(xhat, g.mean(g.mul(h, xhat), axes, true))
    const dx = g.mul(inverse, g.sub(g.sub(h, g.mean(h, axes, true)), along))
    const slopes = g.mul(dy, g.reshape(xhat, x.shape))
    return [g.reshape(dx, x.shape), g.sum(slopes, [0, 2]), g.sum(dy, [0, 2])]
  },

  // loss = (1 - e)·(lse - x[target]) + e·(lse - mean(x)), and 0 for ignored targets
  crossEntropy: ([logits, target], { ignoreIndex, labelSmoothing }) => {
    const top = rowMax(logits)
    const lse = g.add(g.log(g.sum(g.exp(g.sub(logits, top)), [1], true)), top)
    const counted = isCounted(target, ignoreIndex)
    const safe = g.where(counted, target, g.constant(0, 'i32'))
    const chosen = g.gather(logits, g.unsqueeze(safe, [1]), 1)
    let loss = g.sub(lse, chosen)
    if (labelSmoothing !== 0) {
      const even = g.sub(lse, g.mean(logits, [1], true))
      loss = g.add(g.scale(loss, 1 - labelSmoothing), g.scale(even, labelSmoothing))
    }
    const rows = target.shape
    return [g.where(counted, g.reshape(loss, rows), g.constant(0)), g.reshape(lse, rows)]
  },

  // dlogits = dloss·(softmax - (1 - e)·onehot - e/V)
  crossEntropyBackward: ([logits, target, lse, dloss], { ignoreIndex, labelSmoothing }) => {
    const [n, classes] = logits.shape
    const column = (x: Node): Node => g.reshape(x, [n, 1])
    const hit = g.cast(g.binary('eq', g.iota([n, classes], 1), column(target)), 'f32')
    let slope = g.sub(g.exp(g.sub(logits, column(lse))), g.scale(hit, 1 - labelSmoothing))
    if (labelSmoothing !== 0) slope = g.shift(slope, -labelSmoothing / classes)
    const counted = isCounted(target, ignoreIndex)
    return [g.mul(slope, column(g.where(counted, dloss, g.constant(0))))]
  },

  // A few rows at a time: their logits become their gradient, and are used before the next logits are computed.
  linearCrossEntropy: ([states, w, target, share], { format, rows, ...attrs }) => {
    const losses: Node[] = []
    const slopes: Node[] = []
    let dw: Node | null = null
    const count = states.shape[0]
    for (let from = 0; from < count; from += rows) {
      const size = Math.min(rows, count - from)
      const [x, t, s] = [states, target, share].map((all) => g.narrow(all, 0, from, size))
      const logits = format ? g.matmulQuantized(x, w, format) : g.matmul(x, g.transpose(w))
      const [loss, lse] = g.crossEntropy(logits, t, attrs)
      const dlogits = g.make('crossEntropyBackward', [logits, t, lse, s], attrs)
      losses.push(loss)
      slopes.push(format ? g.matmulQuantizedInput(dlogits, w, format) : g.matmul(dlogits, w))
      if (format) continue
      const product = g.matmul(g.transpose(dlogits), x)
      dw = dw ? g.add(product, dw) : product
    }
    if (losses.length === 0) return [g.filled(0, []), states, ...(format ? [] : [g.zerosLike(w)])]
    const total = g.sum(g.mul(g.concat(losses, 0), share), [0])
    return [total, g.concat(slopes, 0), ...(dw ? [dw] : [])]
  },

  attention: (inputs, attrs) => {
    const { q, v, groups } = headed(inputs)
    const { scores, keep } = scoresOf(inputs, attrs)
    const top = rowMax(scores)
    // In a fully masked row all scores are -inf: subtract 0 and divide by 1 to avoid NaN.
    const blind = g.binary('eq', top, g.scalar(Number.NEGATIVE_INFINITY))
    const e = g.exp(g.sub(scores, g.where(blind, g.constant(0), top)))
    const total = g.where(blind, g.constant(1), g.sum(e, [3], true))
    let p = g.div(e, total)
    if (keep) p = g.mul(p, keep)
    const lse = g.where(blind, top, g.add(g.log(total), top))
    const out = g.matmul(p, grouped(v, groups))
    return [out, g.reshape(lse, q.shape.slice(0, 3))]
  },

  // P = exp(S - lse);  dV = Pᵀ·dO;  dP = dO·Vᵀ;  dS = P·(dP - rowsum(dO·O));  dQ = dS·K;  dK = dSᵀ·Q
  attentionBackward: (inputs, attrs) => {
    const { q, k, v, groups } = headed(inputs)
    const [out, lse, dout] = inputs.slice(3, 6)
    const { scores, keep } = scoresOf([q, k, v, ...inputs.slice(6)], attrs)
    const column = g.unsqueeze(lse, [3])
    const blind = g.binary('eq', column, g.scalar(Number.NEGATIVE_INFINITY))
    const p = g.exp(g.sub(scores, g.where(blind, g.constant(0), column)))
    const dv = g.matmul(g.transpose(keep ? g.mul(p, keep) : p), dout)
    let dp = g.matmul(dout, g.transpose(grouped(v, groups)))
    if (keep) dp = g.mul(dp, keep)
    const ds = g.mul(p, g.sub(dp, g.sum(g.mul(dout, out), [3], true)))
    const dq = g.scale(g.matmul(ds, grouped(k, groups)), attrs.scale)
    const dk = g.scale(g.matmul(g.transpose(ds), q), attrs.scale)
    const grads = [dq, ungrouped(dk, groups), ungrouped(dv, groups)]
    return attrs.bias ? [...grads, ds] : grads
  },

  dropout: ([x, seed, draw], { p }) => {
    const keep = g.binary('le', g.scalar(p), g.uniform(x.shape, seed, draw))
    return [g.where(keep, g.scale(x, 1 / (1 - p)), g.constant(0))]
  },

  // y = W·windows(x) for each group. The two gradients below are matrix products too.
  convolution: ([x, w], attrs) => {
    const windows = windowRows(x, w.shape.slice(2), attrs)
    const [, , ...places] = windowsOf(x.shape, w.shape.slice(2), attrs)
    const y = g.matmul(weightRows(w, attrs), windows) // (B, G, O/G, P)
    return [g.reshape(y, [x.shape[0], w.shape[0], ...places.slice(0, 2)])]
  },
  convolutionInput: ([dy, w], attrs) => {
    const [batch, outputs, ...places] = dy.shape
    const { groups, before, behind, stride, dilation } = attrs
    const kernel = w.shape.slice(2)
    const rows = g.reshape(dy, [batch, groups, outputs / groups, places[0] * places[1]])
    const fields = g.matmul(g.transpose(weightRows(w, attrs)), rows) // (B, G, C/G·K, P)
    const apart = g.reshape(fields, [batch, groups * w.shape[1], ...kernel, ...places])
    const windows = g.permute(apart, [0, 1, 4, 5, 2, 3])
    const size = attrs.size.map((n, i) => n + before[i] + behind[i])
    const padded = g.make('foldWindow', [windows], { kernel, stride, dilation, size })
    const inside = [batch, groups * w.shape[1], ...attrs.size]
    return [g.slice(padded, [0, 0, ...before], inside)]
  },
  convolutionWeight: ([x, dy], attrs) => {
    const [batch, outputs, ...places] = dy.shape
    const { groups, kernel } = attrs
    const rows = g.reshape(dy, [batch, groups, outputs / groups, places[0] * places[1]])
    const products = g.matmul(rows, g.transpose(windowRows(x, kernel, attrs)))
    return [g.reshape(g.sum(products, [0]), [outputs, x.shape[1] / groups, ...kernel])]
  },

  maxPool: ([x], { before, behind, ...window }) => {
    const inside = g.pad(g.filled(1, x.shape, 'bool'), [0, 0, ...before], [0, 0, ...behind])
    const padded = g.pad(x, [0, 0, ...before], [0, 0, ...behind])
    const least = g.scalar(Number.NEGATIVE_INFINITY)
    const windows = g.make('window', [g.where(inside, padded, least)], window)
    const flat = g.reshape(windows, [...windows.shape.slice(0, 4), countOf(window.kernel)])
    const taps = g.reduce('argmax', flat, [4])
    return [g.reshape(g.gather(flat, g.unsqueeze(taps, [4]), 4), taps.shape), taps]
  },
  maxPoolBackward: ([taps, dy], { before, behind, size, ...window }) => {
    const flat = [...dy.shape, countOf(window.kernel)]
    const hit = g.binary('eq', g.iota(flat, 4), g.unsqueeze(taps, [4]))
    const parts = g.where(hit, g.unsqueeze(dy, [4]), g.constant(0))
    const windows = g.reshape(parts, [...dy.shape, ...window.kernel])
    const padded = size.map((n, i) => n + before[i] + behind[i])
    const all = g.make('foldWindow', [windows], { ...window, size: padded })
    return [g.slice(all, [0, 0, ...before], [...dy.shape.slice(0, 2), ...size])]
  },

  matmulQuantized: ([x, w], { format }) => [g.matmul(x, g.transpose(g.dequantize(w, format)))],
  matmulQuantizedInput: ([dy, w], { format }) => [g.matmul(dy, g.dequantize(w, format))],

  // Loshchilov and Hutter (2019), algorithm 2, with the order of operations of PyTorch.
  adamw: ([p, grad, m, v, lr, beta1, beta2, eps, decay, correction1, correction2, gradScale]) => {
    const one = g.constant(1)
    const d = g.mul(grad, gradScale)
    const shrunk = g.mul(p, g.sub(one, g.mul(lr, decay)))
    const first = g.add(m, g.mul(g.sub(one, beta1), g.sub(d, m)))
    const second = g.add(g.mul(beta2, v), g.mul(g.sub(one, beta2), g.square(d)))
    const spread = g.add(g.div(g.sqrt(second), g.sqrt(correction2)), eps)
    return [g.sub(shrunk, g.mul(g.div(lr, correction1), g.div(first, spread))), first, second]
  },
}

/** Reshapes x (B, C, P) so that each mean and variance is taken over `axes`. */
function channelGroups(x: Node, groups: number): { rows: Node; axes: number[] } {
  const [batch, channels, places] = x.shape
  if (groups === 0) return { rows: x, axes: [0, 2] }
  return { rows: g.reshape(x, [batch, groups, (channels / groups) * places]), axes: [2] }
}

/** Φ(x), the cumulative distribution function of the normal distribution. */
const normalCdf = (x: Node): Node => g.scale(g.shift(g.unary('erf', g.scale(x, SQRT_HALF)), 1), 0.5)

const tanhArgument = (x: Node): Node =>
  g.scale(g.mul(x, g.shift(g.scale(g.square(x), CUBIC), 1)), SQRT_2_OVER_PI)

const tanhGate = (x: Node): Node => g.scale(g.shift(g.tanh(tanhArgument(x)), 1), 0.5)

const rowMax = (x: Node): Node => g.stopGradient(g.reduce('amax', x, [last(x)], true))

const isCounted = (target: Node, ignoreIndex: number): Node =>
  g.binary('ne', target, g.scalar(ignoreIndex, 'i32'))

/** Shape of all windows: (B, C, Ph, Pw, Kh, Kw). */
function windowsOf(
  [batch, channels, ...size]: Shape,
  kernel: readonly number[],
  { stride, before, behind, dilation }: ConvolutionAttrs,
): number[] {
  const places = size.map((n, i) => {
    const room = n + before[i] + behind[i] - ((kernel[i] - 1) * dilation[i] + 1)
    return Math.floor(room / stride[i]) + 1
  })
  return [batch, channels, ...places, ...kernel]
}

/** The windows of x as the columns of a matrix: (B, G, C/G·K, P). */
function windowRows(x: Node, kernel: readonly number[], attrs: ConvolutionAttrs): Node {
  const { stride, before, behind, dilation, groups } = attrs
  const padded = g.pad(x, [0, 0, ...before], [0, 0, ...behind])
  const windows = g.make('window', [padded], { kernel, stride, dilation })
  const [batch, channels, ph, pw, kh, kw] = windows.shape
  const fields = g.permute(windows, [0, 1, 4, 5, 2, 3])
  return g.reshape(fields, [batch, groups, (channels / groups) * kh * kw, ph * pw])
}

/** The weights as matrices, one for each group: (1, G, O/G, C/G·K). */
function weightRows(w: Node, { groups }: ConvolutionAttrs): Node {
  const [outputs, ...field] = w.shape
  return g.reshape(w, [1, groups, outputs / groups, countOf(field)])
}

function headed([q, k, v]: readonly Node[]): { q: Node; k: Node; v: Node; groups: number } {
  return { q, k, v, groups: q.shape[1] / k.shape[1] }
}

/** (B, Hk, S, D) -> (B, H, S, D): each key head serves `groups` query heads. */
function grouped(x: Node, groups: number): Node {
  if (groups === 1) return x
  const [b, h, s, d] = x.shape
  return g.reshape(g.expand(g.reshape(x, [b, h, 1, s, d]), [b, h, groups, s, d]), [
    b,
    h * groups,
    s,
    d,
  ])
}

/** The adjoint of `grouped`. */
function ungrouped(x: Node, groups: number): Node {
  if (groups === 1) return x
  const [b, h, s, d] = x.shape
  return g.sum(g.reshape(x, [b, h / groups, groups, s, d]), [2])
}

/** Masked scores (B, H, T, S), and the dropout factors of the probabilities (0 or 1 / (1 - p)). */
function scoresOf(
  [q, k, , ...options]: readonly Node[],
  attrs: AttentionAttrs,
): { scores: Node; keep: Node | null } {
  const [b, h, t] = q.shape
  const s = k.shape[2]
  const rest = [...options]
  const bias = attrs.bias ? (rest.shift() as Node) : null
  const mask = attrs.mask ? (rest.shift() as Node) : null
  const length = attrs.length ? (rest.shift() as Node) : null

  let scores = g.scale(g.matmul(q, g.transpose(grouped(k, h / k.shape[1]))), attrs.scale)
  if (bias) scores = g.add(scores, bias)

  const hidden = g.scalar(Number.NEGATIVE_INFINITY)
  const column = g.iota([1, 1, t, s], 3)
  const used = length ? g.reshape(length, []) : g.scalar(s, 'i32')
  if (mask) scores = g.where(mask, scores, hidden)
  if (length) scores = g.where(g.binary('lt', column, used), scores, hidden)
  if (attrs.causal) {
    // Query i is token number used - T + i of the sequence.
    const position = g.add(g.iota([1, 1, t, s], 2), g.sub(used, g.scalar(t, 'i32')))
    scores = g.where(g.binary('le', column, position), scores, hidden)
  }
  if (attrs.dropout === 0) return { scores, keep: null }
  const [seed, draw] = rest
  const kept = g.binary('le', g.scalar(attrs.dropout), g.uniform([b, h, t, s], seed, draw))
  const keep = g.where(kept, g.scalar(1 / (1 - attrs.dropout)), g.constant(0))
  return { scores, keep }
}
