// Big Transfer (Kolesnikov et al., 2020), the ResNet in hybrid ViTs. It has weight standardisation and group
// normalisation, so that nothing depends on the batch. Field names are checkpoint keys.
import { z } from 'zod'
import { activations, GroupNorm, init, Module, StdConv2d } from '../../nn/index.ts'
import { F, ones, Parameter, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { checkImages } from '../heads/image-model.ts'
import { activation, dimension, layerCount, probability } from '../shared/config.ts'

/** Schema of BiT's config.json. */
export const bitSchema = once(() =>
  z.object({
    /** `bit`. */
    model_type: z.literal('bit').default('bit'),
    /** Number of channels of an image. */
    num_channels: layerCount.default(3),
    /** Number of channels after the first convolution. */
    embedding_size: dimension.default(64),
    /** Number of channels of each stage. */
    hidden_sizes: z.array(dimension).min(1).max(16).default([256, 512, 1024, 2048]),
    /** Number of layers of each stage. */
    depths: z.array(layerCount).min(1).max(16).default([3, 4, 6, 3]),
    /** Kind of layer: normalisation before the convolutions (version 2), or after them. */
    layer_type: z.enum(['preactivation', 'bottleneck']).default('preactivation'),
    /** Activation function. */
    hidden_act: activation.default('relu'),
    /** Null: zeros at both ends. SAME: padding of TensorFlow, which depends on the size of the image. */
    global_padding: z.string().toUpperCase().pipe(z.literal('SAME')).nullable().default(null),
    /** Number of groups of the normalisation. */
    num_groups: layerCount.default(32),
    /** Probability that a layer is skipped in training (stochastic depth). */
    drop_path_rate: probability.default(0),
    /** Whether the first convolution also has the padding of TensorFlow. */
    embedding_dynamic_padding: z.boolean().default(false),
    /** Stride of the whole network. Later stages dilate their windows instead. */
    output_stride: layerCount.default(32),
    /** Factor of `hidden_sizes`. */
    width_factor: z.number().positive().max(64).default(1),
    /** Names of the stages whose output is used. */
    out_features: z.array(z.string().max(40)).nullish(),
    /** Numbers of the stages whose output is used. */
    out_indices: z.array(z.int()).nullish(),
  }),
)

/** Config of BiT. */
export type BitConfig = z.output<ReturnType<typeof bitSchema>>

const EPS = 1e-8 // for weight standardisation

interface ConvOptions {
  stride?: number
  dilation?: number
}

/** A convolution with the padding of the config. SAME is TensorFlow's padding, which depends on the image size. */
class Conv extends StdConv2d {
  private readonly kernel: number
  private readonly stride: number
  private readonly dilation: number
  private readonly same: boolean

  constructor(
    { global_padding }: BitConfig,
    inputs: number,
    outputs: number,
    kernel: number,
    { stride = 1, dilation = 1 }: ConvOptions = {},
  ) {
    const reach = dilation * (kernel - 1)
    const padding = global_padding === null ? Math.floor((stride - 1 + reach) / 2) : 0
    super(inputs, outputs, kernel, { stride, dilation, padding, bias: false, eps: EPS })
    const std = Math.sqrt(2 / (outputs * kernel * kernel))
    this.weight = new Parameter(init.normal(this.weight.shape, std))
    this.kernel = kernel
    this.stride = stride
    this.dilation = dilation
    this.same = global_padding === 'SAME'
  }

  override forward(x: Tensor): Tensor {
    return super.forward(this.same ? padSame(x, this.kernel, this.stride, this.dilation) : x)
  }
}

/**
 * Pads so that a window at every multiple of the stride is inside. If the number of zeros is odd, the end gets one
 * more.
 */
function padSame(x: Tensor, kernel: number, stride: number, dilation = 1): Tensor {
  const ends = x.shape.slice(-2).map((length) => {
    const covered = (Math.ceil(length / stride) - 1) * stride + (kernel - 1) * dilation + 1
    const missing = Math.max(0, covered - length)
    return [Math.floor(missing / 2), Math.ceil(missing / 2)] as const
  })
  return x.pad(ends)
}

class Norm extends GroupNorm {
  private readonly act: BitConfig['hidden_act']

  constructor(config: BitConfig, channels: number, { activate = true } = {}) {
    super(config.num_groups, channels)
    this.act = activate ? config.hidden_act : 'linear'
  }

  override forward(x: Tensor): Tensor {
    return activations[this.act](super.forward(x))
  }
}

class Embeddings extends Module<BitConfig> {
  convolution = new Conv(this.config, this.config.num_channels, this.config.embedding_size, 7, {
    stride: 2,
  })
  norm =
    this.config.layer_type === 'preactivation'
      ? null
      : new Norm(this.config, this.config.embedding_size)

  forward(images: Tensor): Tensor {
    checkImages(images, this.config.num_channels)
    const { global_padding, embedding_dynamic_padding } = this.config
    let x = this.convolution.forward(images)
    if (global_padding !== 'SAME')
      x = x.pad([
        [1, 1],
        [1, 1],
      ])
    if (this.norm) x = this.norm.forward(x)
    return F.maxPool2d(embedding_dynamic_padding ? padSame(x, 3, 2) : x, 3, { stride: 2 })
  }
}

/** Projects a block's input to the shape of its output. */
class Downsample extends Module {
  conv: Conv
  norm: Norm | null

  constructor(config: BitConfig, inputs: number, outputs: number, stride: number) {
    super()
    this.conv = new Conv(config, inputs, outputs, 1, { stride })
    const before = config.layer_type === 'preactivation'
    this.norm = before ? null : new Norm(config, outputs, { activate: false })
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    return this.norm?.forward(y) ?? y
  }
}

interface LayerOptions {
  inputs: number
  outputs: number
  stride: number
  dilation: number
  /** Stochastic depth: probability that a training example skips this block (Huang et al., 2016). */
  drop: number
  first: boolean
}

abstract class Layer extends Module<BitConfig> {
  downsample: Downsample | null
  private readonly drop: number

  constructor(config: BitConfig, { inputs, outputs, stride, drop, first }: LayerOptions) {
    super(config)
    this.downsample = first ? new Downsample(config, inputs, outputs, stride) : null
    this.drop = drop
  }

  abstract override forward(x: Tensor): Tensor

  protected dropPath(x: Tensor): Tensor {
    if (!this.training || this.drop === 0) return x
    return x.mul(F.dropout(ones([x.shape[0], 1, 1, 1]), this.drop))
  }
}

/** A block with norms after the convolutions. */
class Bottleneck extends Layer {
  conv1: Conv
  norm1: Norm
  conv2: Conv
  norm2: Norm
  conv3: Conv
  norm3: Norm

  constructor(config: BitConfig, options: LayerOptions) {
    super(config, options)
    const { inputs, outputs, stride, dilation } = options
    const inner = wholeEighths(outputs / 4)
    this.conv1 = new Conv(config, inputs, inner, 1)
    this.norm1 = new Norm(config, inner)
    this.conv2 = new Conv(config, inner, inner, 3, { stride, dilation })
    this.norm2 = new Norm(config, inner)
    this.conv3 = new Conv(config, inner, outputs, 1)
    this.norm3 = new Norm(config, outputs, { activate: false })
  }

  forward(x: Tensor): Tensor {
    const residual = this.downsample?.forward(x) ?? x
    let y = this.norm1.forward(this.conv1.forward(x))
    y = this.norm2.forward(this.conv2.forward(y))
    y = this.dropPath(this.norm3.forward(this.conv3.forward(y)))
    return activations[this.config.hidden_act](y.add(residual))
  }
}

/** A block with norms before the convolutions (He et al., 2016, "Identity mappings"). */
class PreActivation extends Layer {
  norm1: Norm
  conv1: Conv
  norm2: Norm
  conv2: Conv
  norm3: Norm
  conv3: Conv

  constructor(config: BitConfig, options: LayerOptions) {
    super(config, options)
    const { inputs, outputs, stride } = options
    const inner = wholeEighths(outputs / 4)
    this.norm1 = new Norm(config, inputs)
    this.conv1 = new Conv(config, inputs, inner, 1)
    this.norm2 = new Norm(config, inner)
    this.conv2 = new Conv(config, inner, inner, 3, { stride })
    this.norm3 = new Norm(config, inner)
    this.conv3 = new Conv(config, inner, outputs, 1)
  }

  forward(x: Tensor): Tensor {
    const before = this.norm1.forward(x)
    const residual = this.downsample?.forward(before) ?? x
    const y = this.conv2.forward(this.norm2.forward(this.conv1.forward(before)))
    return this.dropPath(this.conv3.forward(this.norm3.forward(y))).add(residual)
  }
}

class Stage extends Module {
  layers: Layer[]

  constructor(
    config: BitConfig,
    depth: number,
    options: Omit<LayerOptions, 'drop' | 'first'>,
    drops: number[],
  ) {
    super()
    const Kind = config.layer_type === 'bottleneck' ? Bottleneck : PreActivation
    const { inputs, outputs, stride, dilation } = options
    this.layers = Array.from({ length: depth }, (_, i) =>
      i === 0
        ? new Kind(config, {
            inputs,
            outputs,
            stride,
            dilation: dilation > 2 ? 2 : 1,
            drop: drops[0],
            first: true,
          })
        : new Kind(config, {
            inputs: outputs,
            outputs,
            stride: 1,
            dilation,
            drop: drops[i],
            first: false,
          }),
    )
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((states, layer) => layer.forward(states), x)
  }
}

class Encoder extends Module<BitConfig> {
  stages = makeStages(this.config)

  /** Computes the output of stage `last`, counted from 1. */
  forward(x: Tensor, last: number): Tensor {
    return this.stages.slice(0, last).reduce((states, stage) => stage.forward(states), x)
  }
}

function makeStages(config: BitConfig): Stage[] {
  const { depths, drop_path_rate: rate, output_stride } = config
  const total = depths.reduce((a, b) => a + b, 0)
  let inputs = config.embedding_size
  let reached = 4 // stride of the stem
  let dilation = 1
  let done = 0
  return stageWidths(config).map((outputs, i) => {
    let stride = i === 0 ? 1 : 2
    if (reached >= output_stride) {
      dilation *= stride
      stride = 1
    }
    const drops = Array.from(
      { length: depths[i] },
      (_, k) => (rate * (done + k)) / Math.max(1, total - 1),
    )
    const stage = new Stage(config, depths[i], { inputs, outputs, stride, dilation }, drops)
    inputs = outputs
    reached *= stride
    done += depths[i]
    return stage
  })
}

const stageWidths = ({ depths, hidden_sizes, width_factor }: BitConfig): number[] =>
  hidden_sizes.slice(0, depths.length).map((width) => wholeEighths(width * width_factor))

/** Rounds to a multiple of 8, but not by more than 10 % down. */
function wholeEighths(value: number): number {
  const near = Math.max(8, Math.floor((value + 4) / 8) * 8)
  return near < 0.9 * value ? near + 8 : near
}

class Bit extends Module<BitConfig> {
  embedder = new Embeddings(this.config)
  encoder = new Encoder(this.config)
  /** Present in checkpoints, but not applied to features. */
  norm =
    this.config.layer_type === 'preactivation'
      ? new Norm(this.config, this.config.hidden_sizes.at(-1) ?? 0)
      : null

  forward(images: Tensor, last: number): Tensor {
    return this.encoder.forward(this.embedder.forward(images), last)
  }
}

/** Computes the features (N, C, h, w) of images (N, channels, H, W) in the last stage that the config selects. */
export class BitBackbone extends Module<BitConfig> {
  bit = new Bit(this.config)
  private readonly last = lastStage(this.config)

  /** Number of channels of the features, C. */
  get width(): number {
    return this.last === 0 ? this.config.embedding_size : stageWidths(this.config)[this.last - 1]
  }

  forward(images: Tensor): Tensor {
    return this.bit.forward(images, this.last)
  }
}

/** The number of the last selected stage. `out_features` has names, `out_indices` numbers, where 0 is the stem. */
function lastStage({ out_features, out_indices, depths, hidden_sizes }: BitConfig): number {
  const count = Math.min(depths.length, hidden_sizes.length)
  const names = ['stem', ...Array.from({ length: count }, (_, i) => `stage${i + 1}`)]
  const wanted = out_features?.map((name) => names.indexOf(name)) ?? out_indices ?? [count]
  const found = Math.max(...wanted.map((index) => (index < 0 ? index + names.length : index)))
  if (
    wanted.length > 0 &&
    found >= 0 &&
    found < names.length &&
    !out_features?.some((name) => !names.includes(name))
  )
    return found
  throw new HeedError(
    'invalid-config',
    `out_features of the backbone must be one of ${names.join(', ')}, got ${out_features ?? out_indices}`,
    { key: 'out_features', value: out_features ?? out_indices, remedy: 'Correct backbone_config.' },
  )
}
