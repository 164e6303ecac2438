// ResNet v1.5 (He et al., 2016), with the stride in the 3 x 3 convolution. Field names are checkpoint keys.
// N images, C channels, h and w height and width of the features, K labels
import { z } from 'zod'
import { activations, BatchNorm2d, Conv2d, init, Linear, Module } from '../../nn/index.ts'
import { F, Parameter, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { type ImageFamily, imageClassifier, imageEncoder } from '../heads/image-classification.ts'
import { checkImages } from '../heads/image-model.ts'
import { bertKeys } from '../shared/checkpoint-keys.ts'
import { activation, dimension, layerCount } from '../shared/config.ts'
import { widthOf } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'

const schema = once(() =>
  z.object({
    /** Number of channels of an image. */
    num_channels: layerCount.default(3),
    /** Number of channels after the first convolution. */
    embedding_size: dimension.default(64),
    /** Number of channels of each stage. */
    hidden_sizes: z.array(dimension).min(1).max(16).default([256, 512, 1024, 2048]),
    /** Number of layers of each stage. */
    depths: z.array(layerCount).min(1).max(16).default([3, 4, 6, 3]),
    /** Kind of layer: two convolutions (ResNet-18, -34), or three with a bottleneck. */
    layer_type: z.enum(['basic', 'bottleneck']).default('bottleneck'),
    /** Activation function. */
    hidden_act: activation.default('relu'),
    /** Whether the first stage has stride 2. */
    downsample_in_first_stage: z.boolean().default(false),
    /** Whether the first convolution of a bottleneck has the stride, rather than the second. */
    downsample_in_bottleneck: z.boolean().default(false),
    ...labelFields,
  }),
)

/**
 * Config of ResNet.
 * @interface
 */
export type ResNetConfig = z.output<ReturnType<typeof schema>>

interface ConvOptions {
  kernel?: number
  stride?: number
  /** Activation function. Default: none, as after the last convolution of a block. */
  act?: ResNetConfig['hidden_act']
}

/** A convolution that keeps the size, or divides it by the stride, and batch normalisation. */
class ConvLayer extends Module {
  convolution: Conv2d
  normalization: BatchNorm2d
  private readonly act: ResNetConfig['hidden_act']

  constructor(
    inputs: number,
    outputs: number,
    { kernel = 3, stride = 1, act = 'linear' }: ConvOptions,
  ) {
    super()
    const padding = Math.floor(kernel / 2)
    this.convolution = new Conv2d(inputs, outputs, kernel, { stride, padding, bias: false })
    // He et al. (2015), with fan-out
    const std = Math.sqrt(2 / (outputs * kernel * kernel))
    this.convolution.weight = new Parameter(init.normal(this.convolution.weight.shape, std))
    this.normalization = new BatchNorm2d(outputs)
    this.act = act
  }

  forward(x: Tensor): Tensor {
    return activations[this.act](this.normalization.forward(this.convolution.forward(x)))
  }
}

class Embeddings extends Module<ResNetConfig> {
  embedder = new ConvLayer(this.config.num_channels, this.config.embedding_size, {
    kernel: 7,
    stride: 2,
    act: this.config.hidden_act,
  })

  forward(images: Tensor): Tensor {
    checkImages(images, this.config.num_channels)
    return F.maxPool2d(this.embedder.forward(images), 3, { stride: 2, padding: 1 })
  }
}

/** A residual block. The shortcut projects the input if its shape differs from that of the output. */
class Layer extends Module<ResNetConfig> {
  shortcut: ConvLayer | null
  layer: ConvLayer[]

  constructor(config: ResNetConfig, inputs: number, outputs: number, stride = 1) {
    super(config)
    const same = inputs === outputs && stride === 1
    this.shortcut = same ? null : new ConvLayer(inputs, outputs, { kernel: 1, stride })
    this.layer =
      config.layer_type === 'basic'
        ? basic(inputs, outputs, stride)
        : bottleneck(config, inputs, outputs, stride)
  }

  forward(x: Tensor): Tensor {
    const residual = this.shortcut?.forward(x) ?? x
    const y = this.layer.reduce((states, part) => part.forward(states), x)
    return activations[this.config.hidden_act](y.add(residual))
  }
}

// As in transformers, the activation function within a block is always ReLU.
const basic = (inputs: number, outputs: number, stride: number): ConvLayer[] => [
  new ConvLayer(inputs, outputs, { stride, act: 'relu' }),
  new ConvLayer(outputs, outputs, {}),
]

function bottleneck(
  config: ResNetConfig,
  inputs: number,
  outputs: number,
  stride: number,
): ConvLayer[] {
  const inner = Math.floor(outputs / 4)
  if (inner === 0)
    throw new HeedError(
      'invalid-config',
      `hidden_sizes must be at least 4 if layer_type is 'bottleneck', got ${outputs}`,
      {
        key: 'hidden_sizes',
        value: outputs,
        remedy: "Choose larger sizes, or layer_type 'basic'.",
      },
    )
  const first = config.downsample_in_bottleneck ? stride : 1
  return [
    new ConvLayer(inputs, inner, { kernel: 1, stride: first, act: 'relu' }),
    new ConvLayer(inner, inner, { stride: stride / first, act: 'relu' }),
    new ConvLayer(inner, outputs, { kernel: 1 }),
  ]
}

class Stage extends Module {
  layers: Layer[]

  constructor(config: ResNetConfig, stage: number) {
    super()
    const outputs = config.hidden_sizes[stage]
    const inputs = stage === 0 ? config.embedding_size : config.hidden_sizes[stage - 1]
    const stride = stage > 0 || config.downsample_in_first_stage ? 2 : 1
    this.layers = Array.from({ length: config.depths[stage] }, (_, i) =>
      i === 0 ? new Layer(config, inputs, outputs, stride) : new Layer(config, outputs, outputs),
    )
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((states, layer) => layer.forward(states), x)
  }
}

class Encoder extends Module<ResNetConfig> {
  stages = this.config.depths.map((_, stage) => new Stage(this.config, stage))

  forward(x: Tensor): Tensor {
    return this.stages.reduce((states, stage) => stage.forward(states), x)
  }
}

class ResNetStack extends Module<ResNetConfig> {
  /** The first convolution and pooling. */
  embedder = new Embeddings(this.config)
  /** The stages. */
  encoder = new Encoder(this.config)

  /** The image size of published checkpoints. The model accepts images of any size. */
  get imageShape(): readonly [number, number, number] {
    return [this.config.num_channels, 224, 224]
  }

  /** Computes features: images f32 (N, channels, H, W) -> (N, C, h, w). */
  forward(images: Tensor): Tensor {
    return this.encoder.forward(this.embedder.forward(images))
  }

  /** Mean over all positions: (N, C, h, w) -> (N, C). */
  pooled(states: Tensor): Tensor {
    return states.mean([2, 3])
  }
}

const family: ImageFamily<ResNetConfig, ResNetStack, 'resnet'> = {
  modelType: 'resnet',
  title: 'ResNet',
  config: {
    schema,
    aliases: {},
    unread: unreadKeys(
      'stage_names',
      'out_features',
      'out_indices',
      '_out_features',
      '_out_indices',
    ), // for backbones
    complete: checked,
  },
  Stack: ResNetStack,
  prefix: 'resnet',
  names: {
    width: ({ hidden_sizes }) => hidden_sizes[hidden_sizes.length - 1],
    layers: ['encoder.stages'],
    embeddings: null,
  },
  ...bertKeys,
}

/** ResNet without a head: features of images. */
export class ResNetModel extends imageEncoder(family, ['ResNetModel', 'ResNetBackbone']) {}
/** ResNet for image classification. */
export class ResNetForImageClassification extends imageClassifier(family, {
  architectures: 'ResNetForImageClassification',
  layers: (config, { labelCount }) => ({
    // Index 0 in checkpoints is a flatten layer without weights.
    /** Pooled features to logits of the labels. */
    classifier: [null, new Linear(widthOf(family, config), labelCount)] as const,
  }),
  logits: ({ classifier }, states, { stack }) => classifier[1].forward(stack.pooled(states)),
}) {}

/** Definition of the ResNet family. */
export const resnet = defineModel({
  ...family,
  paper: 'He et al. (2016). Deep Residual Learning for Image Recognition',
  otherNames: [],
  heads: [ResNetModel, ResNetForImageClassification],
  // Basic blocks in up to three stages. Each stage is twice as wide as the previous one; the last has width `dim`.
  sizes: ({ layers, dim }) => {
    const stages = Math.min(3, layers)
    const width = (stage: number): number => Math.ceil(dim / 2 ** (stages - 1 - stage))
    return {
      layer_type: 'basic',
      embedding_size: width(0),
      hidden_sizes: Array.from({ length: stages }, (_, i) => width(i)),
      depths: Array.from({ length: stages }, (_, i) => Math.floor((layers + i) / stages)),
    }
  },
  dropout: [],
  tokenizer: null,
  image: ({ channels }) => ({ num_channels: channels }),
  task: 'image-classification',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: null,
  presets: {},
})

function checked(config: ResNetConfig): ResNetConfig {
  const { depths, hidden_sizes } = config
  if (depths.length === hidden_sizes.length) return config
  throw new HeedError(
    'invalid-config',
    `depths must have a value for each of the ${hidden_sizes.length} hidden_sizes, got ${depths.length}`,
    { key: 'depths', value: depths, remedy: 'Write one depth and one hidden size for each stage.' },
  )
}
