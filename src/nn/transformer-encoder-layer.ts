import { checkTensors } from '../tensor/arguments.ts'
import type { Tensor } from '../tensor/index.ts'
import { optionKinds } from '../util/options.ts'
import { type Activation, activationOf } from './activations.ts'
import { Dropout } from './dropout.ts'
import { LayerNorm } from './layer-norm.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'
import { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head-attention.ts'

// B batch, T tokens, C width

/** Config of `TransformerEncoderLayer`. */
export interface TransformerEncoderLayerConfig {
  /** Width of the input and output, C. `heads` must divide it. */
  embedDim: number
  /** Number of heads. */
  heads: number
  /** Width of the feed-forward network. Default 2048. */
  feedforwardDim?: number
  /** Dropout probability. Default 0.1. */
  dropout?: number
  /** Activation function of the feed-forward network. Default relu. */
  activation?: Activation
  /** Added to the variance in layer normalisation. Default 1e-5. */
  layerNormEps?: number
  /** Whether inputs are (B, T, C). If false, they are (T, B, C), as in PyTorch's default. Default true. */
  batchFirst?: boolean
  /** Whether to normalise before attention and feed-forward (pre-norm) rather than after them. Default false. */
  normFirst?: boolean
  /** Whether linear and normalisation layers have biases. Default true. */
  bias?: boolean
}

/** torch.nn.TransformerEncoderLayer, with the same parameter names (Vaswani et al., 2017, section 3.1). */
export class TransformerEncoderLayer extends Module<TransformerEncoderLayerConfig> {
  /** @hidden */
  static readonly configRules = optionKinds<TransformerEncoderLayerConfig>({
    embedDim: 'size',
    heads: 'size',
    feedforwardDim: 'size?',
    dropout: 'share?',
    activation: 'text?',
    layerNormEps: 'number?',
    batchFirst: 'flag?',
    normFirst: 'flag?',
    bias: 'flag?',
  })

  /** Multi-head self-attention. */
  self_attn = new MultiHeadAttention({
    embedDim: this.config.embedDim,
    heads: this.config.heads,
    dropout: this.config.dropout ?? 0.1,
    bias: this.config.bias,
    batchFirst: this.config.batchFirst,
  })
  /** First layer of the feed-forward network, C to `feedforwardDim`. */
  linear1 = new Linear(this.config.embedDim, this.config.feedforwardDim ?? 2048, this.options)
  /** Dropout after the activation function. */
  dropout = new Dropout(this.config.dropout ?? 0.1)
  /** Second layer of the feed-forward network, `feedforwardDim` to C. */
  linear2 = new Linear(this.config.feedforwardDim ?? 2048, this.config.embedDim, this.options)
  /** Normalisation of the attention block. */
  norm1 = new LayerNorm(this.config.embedDim, this.config.layerNormEps, this.options)
  /** Normalisation of the feed-forward block. */
  norm2 = new LayerNorm(this.config.embedDim, this.config.layerNormEps, this.options)
  /** Dropout of the attention block's output. */
  dropout1 = new Dropout(this.config.dropout ?? 0.1)
  /** Dropout of the feed-forward block's output. */
  dropout2 = new Dropout(this.config.dropout ?? 0.1)

  /** x (B, T, C) -> (B, T, C). */
  forward(x: Tensor, options: MultiHeadAttentionOptions = {}): Tensor {
    checkTensors('TransformerEncoderLayer', { x })
    if (this.config.normFirst) {
      const y = x.add(this.attend(this.norm1.forward(x), options))
      return y.add(this.feedForward(this.norm2.forward(y)))
    }
    const y = this.norm1.forward(x.add(this.attend(x, options)))
    return this.norm2.forward(y.add(this.feedForward(y)))
  }

  private attend(x: Tensor, options: MultiHeadAttentionOptions): Tensor {
    return this.dropout1.forward(this.self_attn.forward(x, x, x, options))
  }

  private feedForward(x: Tensor): Tensor {
    const activate = activationOf('TransformerEncoderLayer', this.config.activation ?? 'relu')
    const hidden = this.dropout.forward(activate(this.linear1.forward(x)))
    return this.dropout2.forward(this.linear2.forward(hidden))
  }

  private get options(): { bias: boolean } {
    return { bias: this.config.bias ?? true }
  }
}
