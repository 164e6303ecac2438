// Layers of ViT (Dosovitskiy et al., 2021) and its variants. Field names are checkpoint keys: renaming one breaks
// loading.
// N images, T tokens (the class token, then patches in row-major order), C = hidden_size, K labels
import { z } from 'zod'
import {
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
import { once } from '../../util/once.ts'
import { type UnreadKeys, unreadKeys } from '../../util/unread-keys.ts'
import type { ModelDefinition } from '../definition.ts'
import { headLinear } from '../heads/headed-model.ts'
import type { ImageFamily } from '../heads/image-classification.ts'
import { checkImages } from '../heads/image-model.ts'
import { bertKeys } from '../shared/checkpoint-keys.ts'
import {
  activation,
  checkDivides,
  deviation,
  dimension,
  epsilon,
  layerCount,
  probability,
} from '../shared/config.ts'
import type { StackParts } from '../shared/family.ts'
import { patchFor } from '../shared/images.ts'
import { labelFields } from '../shared/labels.ts'
import { vitSizes } from '../shared/sizes.ts'
import { resizeGrid } from './bicubic.ts'

const pixels = z.int().min(1).max(16384)
const sides = z.union([pixels, z.tuple([pixels, pixels])]) // one number, or height and width

/** Schema of ViT's config.json. */
export const vitSchema = once(() =>
  z.object({
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(768),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(12),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(12),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(3072),
    /** Activation function of the feed-forward network. */
    hidden_act: activation.default('gelu'),
    /** Dropout probability of the embeddings and of the output of each block. */
    hidden_dropout_prob: probability.default(0),
    /** Dropout probability of the attention weights. */
    attention_probs_dropout_prob: probability.default(0),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Added to the variance in layer normalisation. */
    layer_norm_eps: epsilon.default(1e-12),
    /** Size of an image in pixels: one number, or height and width. */
    image_size: sides.default(224),
    /** Size of a patch in pixels: one number, or height and width. */
    patch_size: sides.default(16),
    /** Number of channels of an image. */
    num_channels: layerCount.default(3),
    /** Whether the projections of queries, keys and values have a bias. */
    qkv_bias: z.boolean().default(true),
    /** Width of the output of the pooler. Null: hidden_size. */
    pooler_output_size: dimension.nullish(),
    /** Activation function of the pooler. */
    pooler_act: activation.default('tanh'),
    ...labelFields,
  }),
)

/**
 * Config of ViT and its variants.
 * @interface
 */
export type ViTConfig = z.output<ReturnType<typeof vitSchema>>

/** Converts images to patches. */
export interface Patches extends Module {
  /** Numbers of patches vertically and horizontally, for images of the config's size. */
  readonly grid: readonly [number, number]
  /** Computes patch embeddings: (N, channels, H, W) -> (N, C, h, w). */
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

/** A convolution with adjacent windows, which is a linear map of each patch. */
export class PatchProjection extends Conv2d {
  constructor(channels: number, { hidden_size, patch_size, initializer_range: std }: ViTConfig) {
    const patch = bothSides(patch_size)
    super(channels, hidden_size, patch, { stride: patch })
    this.weight = new Parameter(init.normal(this.weight.shape, std))
    this.bias = new Parameter(zeros([hidden_size]))
  }
}

/** Embeddings of special tokens and patches, with positions. */
export class ViTEmbeddings extends Module<ViTConfig> {
  cls_token = this.token()
  position_embeddings: Parameter
  patch_embeddings: Patches
  dropout = new Dropout(this.config.hidden_dropout_prob)

  /** @param special number of special tokens before the patches; they have positions as well */
  constructor(config: ViTConfig, special = 1, patches: Patches = new PatchEmbeddings(config)) {
    super(config)
    this.patch_embeddings = patches
    const [height, width] = patches.grid
    if (height * width === 0)
      throw new HeedError(
        'invalid-config',
        `patch_size must be at most image_size (${bothSides(config.image_size).join(' x ')}), got ${bothSides(config.patch_size).join(' x ')}`,
        { key: 'patch_size', value: config.patch_size, remedy: 'Choose a smaller patch_size.' },
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

  /** Position embeddings (1, T, C) for a grid of patches, interpolated if it differs from that of the config. */
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

/** The end of both halves of a layer. */
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

/** The stack of ViT and its variants, which differ in the embeddings. */
export abstract class VisionTransformer<C extends ViTConfig = ViTConfig> extends Module<C> {
  /** Embeddings of patches, with the class token and positions. */
  embeddings: ViTEmbeddings
  /** The layers. */
  encoder = new Encoder(this.config)
  /** Normalisation of the hidden states. */
  layernorm = norm(this.config)
  /** Only present for heads that need it. */
  pooler: Pooler | null

  constructor(config: C, embeddings: ViTEmbeddings, { pooler }: StackParts) {
    super(config)
    this.embeddings = embeddings
    this.pooler = pooler ? new Pooler(this.config) : null
  }

  get imageShape(): readonly [number, number, number] {
    return [this.config.num_channels, ...bothSides(this.config.image_size)]
  }

  /**
   * Computes hidden states: images f32 (N, channels, H, W) -> (N, T, C), with the class token first. For images of
   * another size, positions are interpolated bicubically.
   */
  forward(images: Tensor): Tensor {
    return this.layernorm.forward(this.encoder.forward(this.embeddings.forward(images)))
  }

  /** The hidden state of the class token, after the pooler if there is one: (N, T, C) -> (N, C). */
  pooled(states: Tensor): Tensor {
    return this.pooler ? this.pooler.forward(states) : states.select(1, 0)
  }
}

/** The family of a ViT variant. */
export const vitFamily = <
  C extends ViTConfig,
  S extends VisionTransformer<C>,
  P extends string,
>(variant: {
  modelType: string
  title: string
  schema: () => z.ZodType<C>
  unread?: UnreadKeys
  Stack: new (config: C, has: StackParts) => S
  prefix: P
}): ImageFamily<C, S, P> => ({
  modelType: variant.modelType,
  title: variant.title,
  config: {
    schema: variant.schema,
    aliases: {},
    unread: { ...unreadKeys('encoder_stride'), ...variant.unread }, // used for masked image modelling
    complete: (config) => {
      checkDivides<ViTConfig, 'num_attention_heads' | 'hidden_size'>(
        config,
        'num_attention_heads',
        'hidden_size',
        variant.title,
      )
      return config
    },
  },
  Stack: variant.Stack,
  prefix: variant.prefix,
  names: {
    width: 'hidden_size',
    layers: ['encoder.layer'],
    embeddings: null,
    required: ['embeddings', 'encoder', 'layernorm'],
  },
  ...bertKeys,
})

/** A linear layer from the hidden state of a token to the labels. */
export const vitClassifier = (config: ViTConfig, { labelCount }: { labelCount: number }): Linear =>
  linear(config.hidden_size, labelCount, config)

/** Parts of the definition that all variants share. */
export const vitDefaults = {
  otherNames: [],
  sizes: vitSizes,
  dropout: ['hidden_dropout_prob', 'attention_probs_dropout_prob'],
  tokenizer: null,
  image: ({ channels, size, patchSize = patchFor(size) }) => ({
    num_channels: channels,
    image_size: [...size],
    patch_size: patchSize,
  }),
  task: 'image-classification',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: {
    lora: ['q_proj', 'v_proj'],
    ia3: ['k_proj', 'v_proj'],
    feedForward: ['mlp.fc2'],
    blocks: {
      attention: ['attention.output.dense'],
      feedForward: ['intermediate', 'output.dense'],
    },
    imageTokens: { embeddings: 'embeddings', special: 1 },
    peftNames: [
      [/(^|\.)encoder\.layer\.(\d+)\./, '$1layers.$2.'],
      [/\.attention\.attention\.(q)uery$|\.attention\.attention\.(k)ey$|\.attention\.attention\.(v)alue$/, '.attention.$1$2$3_proj'],
      [/\.attention\.output\.dense$/, '.attention.o_proj'],
      [/\.intermediate\.dense$/, '.mlp.fc1'],
      [/(\d)\.output\.dense$/, '$1.mlp.fc2'],
    ], // biome-ignore format: a table
  },
  presets: {},
} as const satisfies Partial<ModelDefinition>

function linear(inputs: number, outputs: number, config: ViTConfig): Linear {
  return headLinear(inputs, outputs, config)
}

function norm({ hidden_size, layer_norm_eps }: ViTConfig): LayerNorm {
  return new LayerNorm(hidden_size, layer_norm_eps)
}

/** Height and width of a size given as one number or two. */
export const bothSides = (side: ViTConfig['image_size']): readonly [number, number] =>
  typeof side === 'number' ? [side, side] : side
