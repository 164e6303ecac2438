// DeiT (Touvron et al., 2021): ViT with one more token, which learns what a teacher says.
// N images, C = hidden_size, K labels
import { type Linear, Module } from '../../nn/index.ts'
import type { Parameter, Tensor } from '../../tensor/index.ts'
import type { ImageClassifier } from '../heads/image-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { parseConfig } from '../shared/config.ts'
import { classificationLoss, labelsOf } from '../shared/labels.ts'
import { linear, VisionTransformer, type ViTConfig, ViTEmbeddings, vitSchema } from './vit.ts'

const deitConfig = (config: object): ViTConfig => parseConfig(vitSchema, config, 'DeiT')

class DeiTEmbeddings extends ViTEmbeddings {
  distillation_token = this.token()

  constructor(config: ViTConfig) {
    super(config, 2)
  }

  protected override special(): Parameter[] {
    return [this.cls_token, this.distillation_token]
  }
}

export class DeiTModel extends VisionTransformer {
  static readonly modelType = 'deit'
  static readonly architectures = ['DeiTModel']
  static readonly head = 'image-features'
  static readonly base = ['embeddings', 'encoder', 'layernorm']

  constructor(config: Partial<ViTConfig> = {}, { pooler = true } = {}) {
    const own = deitConfig(config)
    super(own, new DeiTEmbeddings(own), pooler)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'deit' })
  }
}

/** A model with the encoder below it. */
abstract class DeiTHead extends Module<ViTConfig> {
  static readonly modelType = 'deit'
  static readonly head = 'image-classification'
  static readonly base = 'deit'

  readonly labels = labelsOf(this.config)
  deit = new DeiTModel(this.config, { pooler: false })

  constructor(config: Partial<ViTConfig> = {}) {
    super(deitConfig(config))
  }

  get imageShape(): readonly [number, number, number] {
    return this.deit.imageShape
  }

  /** images (N, channels, H, W) f32 -> logits (N, K). */
  abstract override forward(images: Tensor): Tensor

  loss(images: Tensor, labels: Tensor): Tensor {
    return classificationLoss(this.forward(images), labels, this.config)
  }

  protected classify(): Linear {
    return linear(this.config.hidden_size, this.labels.length, this.config)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { add: 'deit' })
  }
}

/** Classifies by the class token alone. */
export class DeiTForImageClassification extends DeiTHead implements ImageClassifier {
  static readonly architectures = ['DeiTForImageClassification']

  classifier = this.classify()

  forward(images: Tensor): Tensor {
    return this.classifier.forward(this.deit.forward(images).select(1, 0))
  }
}

/** Both tokens with a classifier of their own, whose mean counts. */
export class DeiTForImageClassificationWithTeacher extends DeiTHead implements ImageClassifier {
  static readonly architectures = ['DeiTForImageClassificationWithTeacher']

  cls_classifier = this.classify()
  distillation_classifier = this.classify()

  forward(images: Tensor): Tensor {
    const { own, teacher } = this.separately(images)
    return own.add(teacher).div(2)
  }

  /** Logits (N, K) of the class token, which learns the labels, and of the one that learns a teacher's. */
  separately(images: Tensor): { own: Tensor; teacher: Tensor } {
    const states = this.deit.forward(images)
    return {
      own: this.cls_classifier.forward(states.select(1, 0)),
      teacher: this.distillation_classifier.forward(states.select(1, 1)),
    }
  }
}
