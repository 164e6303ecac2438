// The Vision Transformer (Dosovitskiy et al., 2021). The layers are in vit-layers.ts.
import { defineModel } from '../definition.ts'
import { imageClassifier, imageEncoder } from '../heads/image-classification.ts'
import type { StackParts } from '../shared/family.ts'
import {
  VisionTransformer,
  type ViTConfig,
  ViTEmbeddings,
  vitClassifier,
  vitDefaults,
  vitFamily,
  vitSchema,
} from './vit-layers.ts'

export type { ViTConfig }

class ViTStack extends VisionTransformer {
  constructor(config: ViTConfig, has: StackParts) {
    super(config, new ViTEmbeddings(config), has)
  }
}

const family = vitFamily({
  modelType: 'vit',
  title: 'ViT',
  schema: vitSchema,
  Stack: ViTStack,
  prefix: 'vit',
})

/** ViT without a head: hidden states of patches. */
export class ViTModel extends imageEncoder(family, 'ViTModel') {}
/** ViT for image classification. */
export class ViTForImageClassification extends imageClassifier(family, {
  architectures: 'ViTForImageClassification',
  layers: (config, below) => ({
    /** Hidden state of the first token to logits of the labels, C to K features. */
    classifier: vitClassifier(config, below),
  }),
  logits: ({ classifier }, states) => classifier.forward(states.select(1, 0)),
}) {}

/** Definition of the ViT family. */
export const vit = defineModel({
  ...family,
  ...vitDefaults,
  paper:
    'Dosovitskiy et al. (2021). An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale',
  heads: [ViTModel, ViTForImageClassification],
})
