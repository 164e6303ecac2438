import type { Module } from '../../nn/index.ts'
import { type Tensor, zeros } from '../../tensor/index.ts'
import { optionKinds } from '../../util/options.ts'
import { modelKey } from '../shared/checkpoint-keys.ts'
import { checkEncoderInputs } from '../shared/encoder-mask.ts'
import {
  checkFamily,
  configOf,
  fieldOf,
  type StackParts,
  setStackClass,
  type TextConfig,
  type TextFamily,
  type TextStack,
  type TextStackOptions,
  widthOf,
} from '../shared/family.ts'
import { readText, readWholeText, type VirtualTokenReader, virtualTokenCount, type WholeText } from '../shared/virtual-tokens.ts' // biome-ignore format: one line
import { baseOf, classNames, type HeadClass, HeadedModel, type HeadSpec } from './headed-model.ts'

// B batch, T tokens, C width, V vocabulary, K labels

/** Inputs of encoders in addition to the token ids. */
export interface EncoderOptions {
  /** bool (B, T), true for tokens, false for padding. Default: no padding. */
  attentionMask?: Tensor
  /** i32 (B, T): number of the text that a token belongs to, for models that distinguish two texts. */
  tokenTypeIds?: Tensor
}

/** Common interface of models that read a whole text in one pass. */
export interface EncoderModel extends Module {
  /** Maximum number of tokens. */
  readonly contextLength: number
  /** Number of tokens in the vocabulary, V. */
  readonly vocabSize: number
}

/** A text model without a head, which returns one vector per token. */
export interface TextEncoder extends EncoderModel {
  /** Width of the hidden states, C. */
  readonly hiddenSize: number
  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
}

const STACK = optionKinds<TextStackOptions>({
  attentionMask: 'tensor?',
  tokenTypeIds: 'tensor?',
  cache: 'object?',
  logitsAt: 'tensor?',
})

/** Base class of models with a head that read a whole text in one pass. */
export abstract class TextModel<
    C extends TextConfig,
    S extends TextStack,
    L extends object,
    H extends HeadSpec<C, S, L> = HeadSpec<C, S, L>,
  >
  extends HeadedModel<C, S, L, TextFamily<C, S, string>, H>
  implements EncoderModel, VirtualTokenReader
{
  get contextLength(): number {
    return this.family.contextLength(this.config) - virtualTokenCount(this)
  }

  /** Number of tokens in the vocabulary, V. */
  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** Computes hidden states: i32 (B, T) -> (B, T, C). @throws ShapeError for another shape, or too many tokens */
  protected states(ids: Tensor, options: EncoderOptions = {}): Tensor {
    checkEncoderInputs(this, ids, options)
    return readText(this, ids, options, (...text) => this.stack.forward(...text))
  }

  /** Computes hidden states for heads that pool them, which include those of virtual tokens. @throws like `states` */
  protected wholeText(ids: Tensor, options: EncoderOptions = {}): WholeText {
    checkEncoderInputs(this, ids, options)
    return readWholeText(this, ids, options, (...text) => this.stack.forward(...text))
  }

  /** @internal See `VirtualTokenReader`. */
  probe(): (() => Tensor) | null {
    if (this.family.names.layers.length > 1) return null
    return () => this.stack.forward(zeros([1, 1], 'i32'), {})
  }
}

/**
 * Creates the class of a family without a head, with the keys of such checkpoints. The stacks of models with a head
 * become instances of it, so that they can be used and saved separately.
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
  const Encoder = class extends Stack implements TextEncoder, VirtualTokenReader {
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
      return family.contextLength(this.config) - virtualTokenCount(this)
    }

    get stackCount(): number {
      return 1
    }

    get inputEmbeddings(): Module | null {
      return fieldOf(this, family.names.embeddings)
    }

    get vocabSize(): number {
      return this.config.vocab_size
    }

    get hiddenSize(): number {
      return widthOf(family, this.config)
    }

    override forward(ids: Tensor, options: TextStackOptions = {}): Tensor {
      if (options?.cache) return super.forward(ids, options)
      const packs = 'cache' in family // decoders can read several texts in a row
      checkEncoderInputs(this, ids, options, { rules: STACK, packs })
      return readText(this, ids, options, (...text) => super.forward(...text))
    }

    probe(): (() => Tensor) | null {
      if (family.names.layers.length > 1) return null
      return () => super.forward(zeros([1, 1], 'i32'), {})
    }

    protected override keyInCheckpoint(key: string): string | null {
      return modelKey(key, family, this, null)
    }
  }
  Object.defineProperty(Encoder, 'name', { value: name })
  setStackClass(family, Encoder)
  return Encoder as unknown as HeadClass<C, S & TextEncoder>
}
