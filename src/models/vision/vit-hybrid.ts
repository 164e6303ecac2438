// Hybrid ViT (Dosovitskiy et al., 2021, section 3.1): a ViT on the features of a CNN.
// N images, C = hidden_size, K labels
import { z } from 'zod'
import { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { imageClassifier, imageEncoder } from '../heads/image-classification.ts'
import { dimension } from '../shared/config.ts'
import type { StackParts } from '../shared/family.ts'
import { BitBackbone, bitSchema } from './bit.ts'
import {
  bothSides,
  type Patches,
  PatchProjection,
  VisionTransformer,
  ViTEmbeddings,
  vitClassifier,
  vitDefaults,
  vitFamily,
  vitSchema,
} from './vit-layers.ts'

const schema = once(() =>
  vitSchema().extend({
    /** Size of a patch of the features: one number, or height and width. */
    patch_size: vitSchema().shape.patch_size.default(1),
    /** Config of the BiT that computes the features. */
    backbone_config: bitSchema().default(() =>
      bitSchema().parse({
        global_padding: 'same',
        layer_type: 'bottleneck',
        depths: [3, 4, 9],
        out_features: ['stage3'],
        embedding_dynamic_padding: true,
      }),
    ),
    /** Shape of the features of an image of size `image_size`: (1, channels, height, width). */
    backbone_featmap_shape: z
      .tuple([dimension, dimension, dimension, dimension])
      .default([1, 1024, 24, 24]),
  }),
)

/**
 * Config of hybrid ViT.
 * @interface
 */
export type ViTHybridConfig = z.output<ReturnType<typeof schema>>

class HybridPatches extends Module<ViTHybridConfig> implements Patches {
  backbone = new BitBackbone(this.config.backbone_config)
  projection = new PatchProjection(this.config.backbone_featmap_shape[1], this.config)

  constructor(config: ViTHybridConfig) {
    super(config)
    const [, channels] = config.backbone_featmap_shape
    if (channels === this.backbone.width) return
    throw new HeedError(
      'invalid-config',
      `backbone_featmap_shape must have the channels of the backbone (${this.backbone.width}), got ${channels}`,
      { key: 'backbone_featmap_shape', value: channels, remedy: 'Correct it in config.json.' },
    )
  }

  get grid(): readonly [number, number] {
    const [, , height, width] = this.config.backbone_featmap_shape
    const [patchHeight, patchWidth] = bothSides(this.config.patch_size)
    return [Math.floor(height / patchHeight), Math.floor(width / patchWidth)]
  }

  forward(images: Tensor): Tensor {
    return this.projection.forward(this.backbone.forward(images))
  }
}

class ViTHybridStack extends VisionTransformer<ViTHybridConfig> {
  constructor(config: ViTHybridConfig, has: StackParts) {
    super(config, new ViTEmbeddings(config, 1, new HybridPatches(config)), has)
  }
}

const family = vitFamily({
  modelType: 'vit-hybrid',
  title: 'ViT-Hybrid',
  schema,
  unread: {
    backbone: [],
    backbone_kwargs: [{}],
    use_pretrained_backbone: [false],
    use_timm_backbone: [false],
  },
  Stack: ViTHybridStack,
  prefix: 'vit',
})

/** Hybrid ViT without a head: hidden states of patches. */
export class ViTHybridModel extends imageEncoder(family, 'ViTHybridModel') {}
/** Hybrid ViT for image classification. */
export class ViTHybridForImageClassification extends imageClassifier(family, {
  architectures: 'ViTHybridForImageClassification',
  layers: (config, below) => ({
    /** Hidden state of the first token to logits of the labels, C to K features. */
    classifier: vitClassifier(config, below),
  }),
  logits: ({ classifier }, states) => classifier.forward(states.select(1, 0)),
}) {}

/** Definition of the hybrid ViT family. */
export const vitHybrid = defineModel({
  ...family,
  ...vitDefaults,
  paper:
    'Dosovitskiy et al. (2021), section 3.1. An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale',
  heads: [ViTHybridModel, ViTHybridForImageClassification],
  sizes: null, // the backbone has its own sizes
})
