// DeiT (Touvron et al., 2021): ViT with a second special token, which learns from a teacher (distillation).
// N images, C = hidden_size, K labels

import type { Linear } from '../../nn/index.ts'
import type { Parameter, Tensor } from '../../tensor/index.ts'
import { defineModel } from '../definition.ts'
import type { HeadClass } from '../heads/headed-model.ts'
import { headClass } from '../heads/headed-model.ts'
import {
  ImageClassifierModel,
  imageClassifier,
  imageEncoder,
} from '../heads/image-classification.ts'
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

class DeiTEmbeddings extends ViTEmbeddings {
  distillation_token = this.token()

  constructor(config: ViTConfig) {
    super(config, 2)
  }

  protected override special(): Parameter[] {
    return [this.cls_token, this.distillation_token]
  }
}

class DeiTStack extends VisionTransformer {
  constructor(config: ViTConfig, has: StackParts) {
    super(config, new DeiTEmbeddings(config), has)
  }
}

const family = vitFamily({
  modelType: 'deit',
  title: 'DeiT',
  schema: vitSchema,
  Stack: DeiTStack,
  prefix: 'deit',
})

/** DeiT without a head: hidden states of patches. */
export class DeiTModel extends imageEncoder(family, 'DeiTModel') {}

/** DeiT for image classification with the class token. */
export class DeiTForImageClassification extends imageClassifier(family, {
  architectures: 'DeiTForImageClassification',
  layers: (config, below) => ({
    /** Hidden state of the first token to logits of the labels, C to K features. */
    classifier: vitClassifier(config, below),
  }),
  logits: ({ classifier }, states) => classifier.forward(states.select(1, 0)),
}) {}

interface TeacherLayers {
  /** State of the class token to logits of the labels, C to K features. */
  cls_classifier: Linear
  /** State of the distillation token to logits of the labels, C to K features. */
  distillation_classifier: Linear
}

class WithTeacher extends ImageClassifierModel<ViTConfig, DeiTStack, TeacherLayers> {
  /** Computes the logits (N, K) of the class token (student) and of the distillation token (teacher). */
  separately(images: Tensor): { student: Tensor; teacher: Tensor } {
    const states = this.states(images)
    const { cls_classifier, distillation_classifier } = this.layers
    return {
      student: cls_classifier.forward(states.select(1, 0)),
      teacher: distillation_classifier.forward(states.select(1, 1)),
    }
  }

  override forward(images: Tensor): Tensor {
    const { student, teacher } = this.separately(images)
    return student.add(teacher).div(2)
  }
}

const withTeacher: HeadClass<ViTConfig, WithTeacher & Record<'deit', DeiTStack> & TeacherLayers> =
  headClass(WithTeacher, 'image-classification', family, {
    architectures: 'DeiTForImageClassificationWithTeacher',
    layers: (config: ViTConfig, below: { labelCount: number }) => ({
      cls_classifier: vitClassifier(config, below),
      distillation_classifier: vitClassifier(config, below),
    }),
    logits: ({ cls_classifier }: TeacherLayers, states: Tensor) =>
      cls_classifier.forward(states.select(1, 0)),
  })

/** DeiT for image classification with both special tokens. The logits are the mean of both classifiers. */
export class DeiTForImageClassificationWithTeacher extends withTeacher {}

/** Definition of the DeiT family. */
export const deit = defineModel({
  ...family,
  ...vitDefaults,
  adapterTargets: {
    ...vitDefaults.adapterTargets,
    imageTokens: { embeddings: 'embeddings', special: 2 }, // class and distillation
  },
  paper:
    'Touvron et al. (2021). Training data-efficient image transformers & distillation through attention',
  heads: [DeiTModel, DeiTForImageClassification, DeiTForImageClassificationWithTeacher],
})
