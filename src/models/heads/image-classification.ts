import { type Tensor, zeros } from '../../tensor/index.ts'
import { modelKey } from '../shared/checkpoint-keys.ts'
import {
  checkFamily,
  configOf,
  type Family,
  type StackParts,
  setStackClass,
  widthOf,
} from '../shared/family.ts'
import { classificationLoss, type LabelConfig, labelsOf } from '../shared/labels.ts'
import { readInput, type VirtualTokenReader } from '../shared/virtual-tokens.ts'
import {
  baseOf,
  classNames,
  type HeadClass,
  HeadedModel,
  type HeadSpec,
  headClass,
} from './headed-model.ts'
import type { ImageClassifier, ImageEncoder, ImageModel } from './image-model.ts'

/** A stack for images: hidden states, and one vector per image. */
export type ImageStack = ImageModel & Pick<ImageEncoder, 'forward' | 'pooled'>

/** A family of image models. */
export type ImageFamily<C extends LabelConfig, S extends ImageStack, P extends string> = Family<
  C,
  S,
  P
>

/** Creates the image classification class of a family. */
export const imageClassifier = <
  C extends LabelConfig,
  S extends ImageStack,
  P extends string,
  L extends object,
>(
  family: ImageFamily<C, S, P>,
  spec: HeadSpec<C, S, L>,
): HeadClass<C, ImageClassifierModel<C, S, L> & Record<P, S & ImageEncoder> & L> =>
  headClass(ImageClassifierModel<C, S, L>, 'image-classification', family, spec)

/** Base of the image classifiers of all families. */
export class ImageClassifierModel<C extends LabelConfig, S extends ImageStack, L extends object>
  extends HeadedModel<C, S, L>
  implements ImageClassifier, VirtualTokenReader
{
  readonly labels = labelsOf(this.config)

  get imageShape(): readonly [number, number, number] {
    return this.stack.imageShape
  }

  /** Computes logits: images f32 (N, channels, H, W) -> f32 (N, K). */
  forward(images: Tensor): Tensor {
    return this.headLogits(this.states(images))
  }

  /** @internal See `VirtualTokenReader`. */
  probe(): () => Tensor {
    return () => this.stack.forward(zeros([1, ...this.imageShape]))
  }

  /** Computes the hidden states of the stack, with the keys and values of a prefix. */
  protected states(images: Tensor): Tensor {
    return readInput(this, () => this.stack.forward(images))
  }

  loss(images: Tensor, labels: Tensor): Tensor {
    return classificationLoss(this.forward(images), labels, this.config)
  }
}

/** Creates the class of a family without a head, with the keys of such checkpoints. */
export function imageEncoder<C extends LabelConfig, S extends ImageStack, P extends string>(
  family: ImageFamily<C, S, P>,
  architectures: string | readonly string[],
): HeadClass<C, S & ImageEncoder> {
  checkFamily('imageEncoder', family)
  const names = classNames('imageEncoder', architectures)
  const Stack = family.Stack as new (
    ...has: ConstructorParameters<typeof family.Stack>
  ) => ImageStack
  const Encoder = class extends Stack implements ImageEncoder {
    static readonly modelType = family.modelType
    static readonly architectures = names
    static readonly head = 'image-features'
    static readonly base = baseOf(family.names)
    static readonly layerLists = family.names.layers
    declare readonly config: C

    constructor(config: Partial<C> = {}, has: StackParts = { pooler: true }) {
      super(configOf(family, config), has)
    }

    get hiddenSize(): number {
      return widthOf(family, this.config)
    }

    protected override keyInCheckpoint(key: string): string | null {
      return modelKey(key, family, this, null)
    }
  }
  Object.defineProperty(Encoder, 'name', { value: names[0] })
  setStackClass(family, Encoder)
  return Encoder as unknown as HeadClass<C, S & ImageEncoder>
}
