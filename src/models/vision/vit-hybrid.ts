// The hybrid of Dosovitskiy et al. (2021), section 3.1: a ViT on the features of a CNN.
// N images, C = hidden_size, K labels
import { z } from 'zod'
import { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { ImageClassifier } from '../heads/image-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { parseConfig, size } from '../shared/config.ts'
import { classificationLoss, labelsOf } from '../shared/labels.ts'
import { BitBackbone, bitSchema } from './bit.ts'
import {
  bothSides,
  linear,
  type Patches,
  PatchProjection,
  VisionTransformer,
  ViTEmbeddings,
  vitSchema,
} from './vit.ts'

const { patch_size } = vitSchema.shape
const schema = vitSchema.extend({
  patch_size: patch_size.default(1),
  backbone_config: bitSchema.default(() =>
    bitSchema.parse({
      global_padding: 'same',
      layer_type: 'bottleneck',
      depths: [3, 4, 9],
      out_features: ['stage3'],
      embedding_dynamic_padding: true,
    }),
  ),
  /** The features (1, channels, height, width) of an image of `image_size`. */
  backbone_featmap_shape: z.tuple([size, size, size, size]).default([1, 1024, 24, 24]),
})

export type ViTHybridConfig = z.output<typeof schema>

const hybridConfig = (config: object): ViTHybridConfig => parseConfig(schema, config, 'ViT-Hybrid')

class HybridPatches extends Module<ViTHybridConfig> implements Patches {
  backbone = new BitBackbone(this.config.backbone_config)
  projection = new PatchProjection(this.config.backbone_featmap_shape[1], this.config)

  constructor(config: ViTHybridConfig) {
    super(config)
    const [, channels] = config.backbone_featmap_shape
    if (channels === this.backbone.width) return
    throw new HeedError(
      'invalid-config',
      `backbone_featmap_shape has ${channels} channels, the backbone ${this.backbone.width}`,
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

export class ViTHybridModel extends VisionTransformer {
  static readonly modelType = 'vit-hybrid'
  static readonly architectures = ['ViTHybridModel']
  static readonly head = 'image-features'
  static readonly base = ['embeddings', 'encoder', 'layernorm']

  constructor(config: Partial<ViTHybridConfig> = {}, { pooler = true } = {}) {
    const own = hybridConfig(config)
    super(own, new ViTEmbeddings(own, 1, new HybridPatches(own)), pooler)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'vit' })
  }
}

export class ViTHybridForImageClassification
  extends Module<ViTHybridConfig>
  implements ImageClassifier
{
  static readonly modelType = 'vit-hybrid'
  static readonly architectures = ['ViTHybridForImageClassification']
  static readonly head = 'image-classification'
  static readonly base = 'vit'

  readonly labels = labelsOf(this.config)
  vit = new ViTHybridModel(this.config, { pooler: false })
  classifier = linear(this.config.hidden_size, this.labels.length, this.config)

  constructor(config: Partial<ViTHybridConfig> = {}) {
    super(hybridConfig(config))
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
