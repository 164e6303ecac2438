// ResNet v1.5 (He et al., 2016; the stride in the 3 x 3 convolution). Field names are checkpoint keys.
// N images, C channels, h and w places, K labels
import { z } from 'zod'
import {
  activationNames,
  activations,
  BatchNorm2d,
  Conv2d,
  init,
  Linear,
  Module,
} from '../../nn/index.ts'
import { F, Parameter, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { checkImages, type ImageClassifier, type ImageEncoder } from '../heads/image-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { few, parseConfig, size } from '../shared/config.ts'
import { classificationLoss, labelFields, labelsOf } from '../shared/labels.ts'

const schema = z.object({
  num_channels: few.default(3),
  embedding_size: size.default(64),
  hidden_sizes: z.array(size).min(1).max(16).default([256, 512, 1024, 2048]),
  depths: z.array(few).min(1).max(16).default([3, 4, 6, 3]),
  layer_type: z.enum(['basic', 'bottleneck']).default('bottleneck'),
  hidden_act: z.enum(activationNames).default('relu'),
  downsample_in_first_stage: z.boolean().default(false),
  downsample_in_bottleneck: z.boolean().default(false),
  ...labelFields,
})

export type ResNetConfig = z.output<typeof schema>

const resnetConfig = (config: object): ResNetConfig => parseConfig(schema, config, 'ResNet')

interface ConvOptions {
  kernel?: number
  stride?: number
  /** None by default, as in the last convolution of a block. */
  act?: ResNetConfig['hidden_act']
}

/** A convolution that keeps the size (or divides it by the stride), normalised. */
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
    // He et al. (2015), over what goes out
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

/** A block: its convolutions, added to its input, which is brought to their shape where it has another. */
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

// The activations inside of a block are ReLU whatever the config tells, as in transformers.
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
    throw new HeedError('invalid-config', `A bottleneck of ${outputs} channels has no quarter`, {
      remedy: 'Take hidden_sizes of at least 4, or layer_type basic.',
    })
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

export class ResNetModel extends Module<ResNetConfig> implements ImageEncoder {
  static readonly modelType = 'resnet'
  static readonly architectures = ['ResNetModel', 'ResNetBackbone']
  static readonly head = 'image-features'
  static readonly base = ['embedder', 'encoder']

  embedder = new Embeddings(this.config)
  encoder = new Encoder(this.config)

  constructor(config: Partial<ResNetConfig> = {}) {
    super(checked(resnetConfig(config)))
  }

  /** Of any size; 224 x 224 is what published checkpoints were trained with. */
  get imageShape(): readonly [number, number, number] {
    return [this.config.num_channels, 224, 224]
  }

  get hiddenSize(): number {
    return this.config.hidden_sizes[this.config.depths.length - 1]
  }

  /** images (N, channels, H, W) f32 -> states (N, C, h, w). */
  forward(images: Tensor): Tensor {
    return this.encoder.forward(this.embedder.forward(images))
  }

  /** The mean over all places: (N, C). */
  pooled(states: Tensor): Tensor {
    return states.mean([2, 3])
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'resnet' })
  }
}

export class ResNetForImageClassification extends Module<ResNetConfig> implements ImageClassifier {
  static readonly modelType = 'resnet'
  static readonly architectures = ['ResNetForImageClassification']
  static readonly head = 'image-classification'
  static readonly base = 'resnet'

  readonly labels = labelsOf(this.config)
  resnet = new ResNetModel(this.config)
  /** In checkpoints 0 is what flattens, which has no weights. */
  classifier = [null, new Linear(this.resnet.hiddenSize, this.labels.length)] as const

  constructor(config: Partial<ResNetConfig> = {}) {
    super(resnetConfig(config))
  }

  get imageShape(): readonly [number, number, number] {
    return this.resnet.imageShape
  }

  /** images (N, channels, H, W) f32 -> logits (N, K). */
  forward(images: Tensor): Tensor {
    return this.classifier[1].forward(this.resnet.pooled(this.resnet.forward(images)))
  }

  loss(images: Tensor, labels: Tensor): Tensor {
    return classificationLoss(this.forward(images), labels, this.config)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { add: 'resnet' })
  }
}

function checked(config: ResNetConfig): ResNetConfig {
  const { depths, hidden_sizes: sizes } = config
  if (depths.length === sizes.length) return config
  throw new HeedError(
    'invalid-config',
    `${depths.length} depths and ${sizes.length} hidden_sizes`,
    {
      remedy: 'Each stage has one of both.',
    },
  )
}
