// Names of torch.nn.functional that have another name in Heed. A call throws an error with Heed's name.
import { renamedFunction } from '../util/other-names.ts'

/** @internal */
export const adaptive_avg_pool1d = renamedFunction('adaptive_avg_pool1d', 'F.adaptiveAvgPool1d')
/** @internal */
export const adaptive_avg_pool2d = renamedFunction('adaptive_avg_pool2d', 'F.adaptiveAvgPool2d')
/** @internal */
export const avg_pool1d = renamedFunction('avg_pool1d', 'F.avgPool1d')
/** @internal */
export const avg_pool2d = renamedFunction('avg_pool2d', 'F.avgPool2d')
/** @internal */
export const batch_norm = renamedFunction('batch_norm', 'F.batchNorm')
/** @internal */
export const binary_cross_entropy_with_logits = renamedFunction(
  'binary_cross_entropy_with_logits',
  'F.bceWithLogits',
)
/** @internal */
export const conv_transpose1d = renamedFunction('conv_transpose1d', 'F.convTranspose1d')
/** @internal */
export const conv_transpose2d = renamedFunction('conv_transpose2d', 'F.convTranspose2d')
/** @internal */
export const cosine_similarity = renamedFunction('cosine_similarity', 'F.cosineSimilarity')
/** @internal */
export const cross_entropy = renamedFunction('cross_entropy', 'F.crossEntropy')
/** @internal */
export const elu = renamedFunction('elu', 'x.elu()')
/** @internal */
export const gelu = renamedFunction('gelu', 'x.gelu()')
/** @internal */
export const group_norm = renamedFunction('group_norm', 'F.groupNorm')
/** @internal */
export const hardswish = renamedFunction('hardswish', 'x.hardswish()')
/** @internal */
export const huber_loss = renamedFunction('huber_loss', 'F.huberLoss')
/** @internal */
export const instance_norm = renamedFunction('instance_norm', 'F.instanceNorm')
/** @internal */
export const kl_div = renamedFunction('kl_div', 'F.klDiv')
/** @internal */
export const l1_loss = renamedFunction('l1_loss', 'F.l1Loss')
/** @internal */
export const layer_norm = renamedFunction('layer_norm', 'F.layerNorm')
/** @internal */
export const leaky_relu = renamedFunction('leaky_relu', 'x.leakyRelu()')
/** @internal */
export const log_softmax = renamedFunction('log_softmax', 'x.logSoftmax(axis)')
/** @internal */
export const logsigmoid = renamedFunction('logsigmoid', 'x.logSigmoid()')
/** @internal */
export const max_pool1d = renamedFunction('max_pool1d', 'F.maxPool1d')
/** @internal */
export const max_pool2d = renamedFunction('max_pool2d', 'F.maxPool2d')
/** @internal */
export const mish = renamedFunction('mish', 'x.mish()')
/** @internal */
export const mse_loss = renamedFunction('mse_loss', 'F.mseLoss')
/** @internal */
export const nll_loss = renamedFunction('nll_loss', 'F.nllLoss')
/** @internal */
export const one_hot = renamedFunction('one_hot', 'oneHot')
/** @internal */
export const pad = renamedFunction('pad', 'x.pad(widths)')
/** @internal */
export const relu = renamedFunction('relu', 'x.relu()')
/** @internal */
export const rms_norm = renamedFunction('rms_norm', 'F.rmsNorm')
/** @internal */
export const scaled_dot_product_attention = renamedFunction(
  'scaled_dot_product_attention',
  'F.scaledDotProductAttention',
)
/** @internal */
export const sigmoid = renamedFunction('sigmoid', 'x.sigmoid()')
/** @internal */
export const silu = renamedFunction('silu', 'x.silu()')
/** @internal */
export const smooth_l1_loss = renamedFunction('smooth_l1_loss', 'F.smoothL1Loss')
/** @internal */
export const softmax = renamedFunction('softmax', 'x.softmax(axis)')
/** @internal */
export const softplus = renamedFunction('softplus', 'x.softplus()')
/** @internal */
export const tanh = renamedFunction('tanh', 'x.tanh()')
/** @internal */
export const triplet_margin_loss = renamedFunction('triplet_margin_loss', 'F.tripletMarginLoss')
