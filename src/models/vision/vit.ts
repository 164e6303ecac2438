// The Vision Transformer (Dosovitskiy et al., 2021). Field names are checkpoint keys: renaming one breaks loading.
// N images, T tokens (one for the class, then patches row by row), C = hidden_size, K labels
import { z } from 'zod'
import {
  activationNames,
  activations,
  attention,
  Conv2d,
  Dropout,
  init,
  LayerNorm,
  Linear,
  Module,
} from '../../nn/index.ts'
import { cat, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { checkImages, type ImageClassifier, type ImageEncoder } from '../heads/image-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'
import { classificationLoss, labelFields, labelsOf } from '../shared/labels.ts'
import { resizeGrid } from './bicubic.ts'

const pixels = z.int().min(1).max(16384)
const sides = z.union([pixels, z.tuple([pixels, pixels])]) // one number, or height and width

export const vitSchema = z.object({
  hidden_size: size.default(768),
  num_hidden_layers: few.default(12),
  num_attention_heads: few.default(12),
  intermediate_size: size.default(3072),
  hidden_act: z.enum(activationNames).default('gelu'),
  hidden_dropout_prob: probability.default(0),
  attention_probs_dropout_prob: probability.default(0),
  initializer_range: z.number().positive().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: sides.default(224),
  patch_size: sides.default(16),
  num_channels: few.default(3),
  qkv_bias: z.boolean().default(true),
  pooler_output_size: size.nullish(), // left out: hidden_size
  pooler_act: z.enum(activationNames).default('tanh'),
  ...labelFields,
})

export type ViTConfig = z.output<typeof vitSchema>

const vitConfig = (config: object): ViTConfig => parseConfig(vitSchema, config, 'ViT')

/** What makes tokens of an image. */
export interface Patches extends Module {
  /** How many there are over the height and the width of an image of the config's size. */
  readonly grid: readonly [number, number]
  /** (N, channels, H, W) -> (N, C, h, w). */
  forward(images: Tensor): Tensor
}

class PatchEmbeddings extends Module<ViTConfig> implements Patches {
  projection = new PatchProjection(this.config.num_channels, this.config)

  get grid(): readonly [number, number] {
    const [height, width] = bothSides(this.config.image_size)
    const [patchHeight, patchWidth] = bothSides(this.config.patch_size)
    return [Math.floor(height / patchHeight), Math.floor(width / patchWidth)]
  }

  forward(images: Tensor): Tensor {
    checkImages(images, this.config.num_channels)
    return this.projection.forward(images)
  }
}

/** A convolution whose windows lie side by side: a linear map of each patch's values. */
export class PatchProjection extends Conv2d {
  constructor(channels: number, { hidden_size, patch_size, initializer_range: std }: ViTConfig) {
    const patch = bothSides(patch_size)
    super(channels, hidden_size, patch, { stride: patch })
    this.weight = new Parameter(init.normal(this.weight.shape, std))
    this.bias = new Parameter(zeros([hidden_size]))
  }
}

export class ViTEmbeddings extends Module<ViTConfig> {
  cls_token = this.token()
  position_embeddings: Parameter
  patch_embeddings: Patches
  dropout = new Dropout(this.config.hidden_dropout_prob)

  /** @param special tokens in front of the patches; each has a position, too */
  constructor(config: ViTConfig, special = 1, patches: Patches = new PatchEmbeddings(config)) {
    super(config)
    this.patch_embeddings = patches
    const [height, width] = patches.grid
    if (height * width === 0)
      throw new HeedError(
        'invalid-config',
        `A patch of ${bothSides(config.patch_size).join(' x ')} is larger than the image of ${bothSides(config.image_size).join(' x ')}`,
      )
    const count = special + height * width
    this.position_embeddings = new Parameter(
      init.normal([1, count, config.hidden_size], config.initializer_range),
    )
  }

  forward(images: Tensor): Tensor {
    const patches = this.patch_embeddings.forward(images) // (N, C, h, w)
    const [batch, channels, height, width] = patches.shape
    const tokens = patches.reshape(batch, channels, height * width).transpose(1, 2)
    const special = this.special().map((token) => token.expand(batch, 1, channels))
    const x = cat([...special, tokens], 1) // (N, T, C)
    return this.dropout.forward(x.add(this.positions(height, width)))
  }

  /** (1, T, C) for a grid of patches; read between those that are known where it is another one. */
  positions(height: number, width: number): Tensor {
    const [knownHeight, knownWidth] = this.patch_embeddings.grid
    const all = this.position_embeddings
    if (height === knownHeight && width === knownWidth) return all
    const [, count, channels] = all.shape
    const patches = knownHeight * knownWidth
    const special = count - patches
    const grid = all.narrow(1, special, patches).reshape(knownHeight, knownWidth, channels)
    const resized = resizeGrid(grid, height, width).reshape(1, height * width, channels)
    return cat([all.narrow(1, 0, special), resized], 1)
  }

  protected special(): Parameter[] {
    return [this.cls_token]
  }

  protected token(): Parameter {
    const { hidden_size, initializer_range } = this.config
    return new Parameter(init.normal([1, 1, hidden_size], initializer_range))
  }
}

class SelfAttention extends Module<ViTConfig> {
  query = this.linear()
  key = this.linear()
  value = this.linear()

  forward(x: Tensor): Tensor {
    return attention(this.query.forward(x), this.key.forward(x), this.value.forward(x), {
      heads: this.config.num_attention_heads,
      dropout: this.training ? this.config.attention_probs_dropout_prob : 0,
    })
  }

  private linear(): Linear {
    const { hidden_size, qkv_bias, initializer_range } = this.config
    return new Linear(hidden_size, hidden_size, { bias: qkv_bias, std: initializer_range })
  }
}

/** What ends both halves of a layer. */
class Output extends Module<ViTConfig> {
  dense: Linear
  dropout = new Dropout(this.config.hidden_dropout_prob)

  constructor(inputs: number, config: ViTConfig) {
    super(config)
    this.dense = linear(inputs, config.hidden_size, config)
  }

  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.dense.forward(x))
  }
}

class Attention extends Module<ViTConfig> {
  attention = new SelfAttention(this.config)
  output = new Output(this.config.hidden_size, this.config)

  forward(x: Tensor): Tensor {
    return this.output.forward(this.attention.forward(x))
  }
}

class Intermediate extends Module<ViTConfig> {
  dense = linear(this.config.hidden_size, this.config.intermediate_size, this.config)

  forward(x: Tensor): Tensor {
    return activations[this.config.hidden_act](this.dense.forward(x))
  }
}

class Layer extends Module<ViTConfig> {
  attention = new Attention(this.config)
  intermediate = new Intermediate(this.config)
  output = new Output(this.config.intermediate_size, this.config)
  layernorm_before = norm(this.config)
  layernorm_after = norm(this.config)

  forward(x: Tensor): Tensor {
    x = x.add(this.attention.forward(this.layernorm_before.forward(x)))
    return x.add(this.output.forward(this.intermediate.forward(this.layernorm_after.forward(x))))
  }
}

class Encoder extends Module<ViTConfig> {
  layer = Array.from({ length: this.config.num_hidden_layers }, () => new Layer(this.config))

  forward(x: Tensor): Tensor {
    return this.layer.reduce((states, layer) => layer.forward(states), x)
  }
}

class Pooler extends Module<ViTConfig> {
  dense = linear(
    this.config.hidden_size,
    this.config.pooler_output_size ?? this.config.hidden_size,
    this.config,
  )

  forward(states: Tensor): Tensor {
    return activations[this.config.pooler_act](this.dense.forward(states.select(1, 0)))
  }
}

/** A model of the family: they differ in what comes before the layers. */
export abstract class VisionTransformer extends Module<ViTConfig> implements ImageEncoder {
  embeddings: ViTEmbeddings
  encoder = new Encoder(this.config)
  layernorm = norm(this.config)
  /** Only where a head asks for it, as published checkpoints have it. */
  pooler: Pooler | null

  constructor(config: ViTConfig, embeddings: ViTEmbeddings, pooler: boolean) {
    super(checked(config))
    this.embeddings = embeddings
    this.pooler = pooler ? new Pooler(this.config) : null
  }

  get imageShape(): readonly [number, number, number] {
    return [this.config.num_channels, ...bothSides(this.config.image_size)]
  }

  get hiddenSize(): number {
    return this.config.hidden_size
  }

  /**
   * images (N, channels, H, W) f32 -> states (N, T, C), the class token's first. An image of another size has
   * positions between those that are known, by bicubic interpolation.
   */
  forward(images: Tensor): Tensor {
    return this.layernorm.forward(this.encoder.forward(this.embeddings.forward(images)))
  }

  /** The class token's states (N, T, C), through one more layer where there is one: (N, C). */
  pooled(states: Tensor): Tensor {
    return this.pooler ? this.pooler.forward(states) : states.select(1, 0)
  }
}

export class ViTModel extends VisionTransformer {
  static readonly modelType = 'vit'
  static readonly architectures = ['ViTModel']
  static readonly head = 'image-features'
  static readonly base = ['embeddings', 'encoder', 'layernorm']

  constructor(config: Partial<ViTConfig> = {}, { pooler = true } = {}) {
    const own = vitConfig(config)
    super(own, new ViTEmbeddings(own), pooler)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'vit' })
  }
}

export class ViTForImageClassification extends Module<ViTConfig> implements ImageClassifier {
  static readonly modelType = 'vit'
  static readonly architectures = ['ViTForImageClassification']
  static readonly head = 'image-classification'
  static readonly base = 'vit'

  readonly labels = labelsOf(this.config)
  vit = new ViTModel(this.config, { pooler: false })
  classifier = linear(this.config.hidden_size, this.labels.length, this.config)

  constructor(config: Partial<ViTConfig> = {}) {
    super(vitConfig(config))
  }

  get imageShape(): readonly [number, number, number] {
    return this.vit.imageShape
  }

  /** images (N, channels, H, W) f32 -> logits (N, K). */
  forward(images: Tensor): Tensor {
    return this.classifier.forward(this.vit.forward(images).select(1, 0))
  }

  loss(images: Tensor, labels: Tensor): Tensor {
    return classificationLoss(this.forward(images), labels, this.config)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { add: 'vit' })
  }
}

export const linear = (inputs: number, outputs: number, config: ViTConfig): Linear =>
  new Linear(inputs, outputs, { std: config.initializer_range })

const norm = ({ hidden_size, layer_norm_eps }: ViTConfig): LayerNorm =>
  new LayerNorm(hidden_size, layer_norm_eps)

/** Height and width. */
export const bothSides = (side: ViTConfig['image_size']): readonly [number, number] =>
  typeof side === 'number' ? [side, side] : side

function checked(config: ViTConfig): ViTConfig {
  const { hidden_size, num_attention_heads: heads } = config
  if (hidden_size % heads === 0) return config
  throw new HeedError(
    'invalid-config',
    `num_attention_heads ${heads} does not divide hidden_size ${hidden_size}`,
    {
      remedy: `Take ${heads} heads of whole size: hidden_size ${heads * Math.ceil(hidden_size / heads)}, for instance.`,
    },
  )
}
