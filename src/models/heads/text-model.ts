import type { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { optionKinds } from '../../util/options.ts'
import { modelKey } from '../shared/checkpoint-keys.ts'
import { checkEncoderInputs } from '../shared/encoder-mask.ts'
import {
  checkFamily,
  configOf,
  type StackParts,
  setStackClass,
  type TextConfig,
  type TextFamily,
  type TextStack,
  type TextStackOptions,
  widthOf,
} from '../shared/family.ts'
import { baseOf, classNames, type HeadClass, HeadedModel, type HeadSpec } from './headed-model.ts'

// B batch, T tokens, C width, V vocabulary, K labels

export interface EncoderOptions {
  /** bool (B, T): true for tokens, false for padding. Default: all are tokens. */
  attentionMask?: Tensor
  /** i32 (B, T): to which of two texts a token belongs, for models that distinguish them. */
  tokenTypeIds?: Tensor
}

/** What all models share that read a whole text at once. */
export interface EncoderModel extends Module {
  /** The most tokens that it can see. */
  readonly contextLength: number
  readonly vocabSize: number
}

/** The layers below any head: a vector for each token. */
export interface TextEncoder extends EncoderModel {
  readonly hiddenSize: number
  /** ids (B, T) i32 -> states (B, T, C). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
}

const STACK = optionKinds<TextStackOptions>({
  attentionMask: 'tensor?',
  tokenTypeIds: 'tensor?',
  cache: 'object?',
  logitsAt: 'tensor?',
})

/** A model with a head on a stack that reads a whole text at once. */
export abstract class TextModel<
    C extends TextConfig,
    S extends TextStack,
    L extends object,
    H extends HeadSpec<C, S, L> = HeadSpec<C, S, L>,
  >
  extends HeadedModel<C, S, L, TextFamily<C, S, string>, H>
  implements EncoderModel
{
  get contextLength(): number {
    return this.family.contextLength(this.config)
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** ids (B, T) i32 -> states (B, T, C). @throws ShapeError for other shapes, and for too many tokens */
  protected states(ids: Tensor, options: EncoderOptions = {}): Tensor {
    checkEncoderInputs(this, ids, options)
    return this.stack.forward(ids, options)
  }
}

/**
 * The stack of a family as a model of its own, with the keys of checkpoints without a head. Models with a head have one
 * as their stack, so that it can be used and saved by itself.
 */
export function textEncoder<C extends TextConfig, S extends TextStack, P extends string>(
  family: TextFamily<C, S, P>,
  architecture: string,
): HeadClass<C, S & TextEncoder> {
  checkFamily('textEncoder', family)
  const [name] = classNames('textEncoder', architecture)
  const Stack = family.Stack as new (
    ...has: ConstructorParameters<typeof family.Stack>
  ) => TextStack
  const Encoder = class extends Stack implements TextEncoder {
    static readonly modelType = family.modelType
    static readonly architectures = [name]
    static readonly head = 'encoder'
    static readonly base = baseOf(family.names)
    static readonly layerLists = family.names.layers
    declare readonly config: C

    constructor(config: Partial<C> = {}, has: StackParts = { pooler: true }) {
      super(configOf(family, config), has)
    }

    get contextLength(): number {
      return family.contextLength(this.config)
    }

    get vocabSize(): number {
      return this.config.vocab_size
    }

    get hiddenSize(): number {
      return widthOf(family, this.config)
    }

    override forward(ids: Tensor, options: TextStackOptions = {}): Tensor {
      if (!options?.cache) checkEncoderInputs(this, ids, options, STACK)
      return super.forward(ids, options)
    }

    protected override keyInCheckpoint(key: string): string | null {
      return modelKey(key, family, this, null)
    }
  }
  Object.defineProperty(Encoder, 'name', { value: name })
  setStackClass(family, Encoder)
  return Encoder as unknown as HeadClass<C, S & TextEncoder>
}
