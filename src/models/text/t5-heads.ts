// The heads of T5 and its variants.
// B batch, T tokens, C = d_model, K labels
import type { z } from 'zod'
import { Dropout, EncoderDecoderCache, Linear, type LoadOptions, Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { ModelDefinition } from '../definition.ts'
import type { OutputLayer } from '../heads/causal-lm.ts'
import { classify, type HeadClass, headClass } from '../heads/headed-model.ts'
import {
  type QuestionAnswerer,
  QuestionAnswererModel,
  type SpanLayer,
} from '../heads/question-answering.ts'
import { type Seq2SeqFamily, type Seq2SeqLM, Seq2SeqModel } from '../heads/seq2seq-lm.ts'
import { sequenceClassifier } from '../heads/sequence-classification.ts'
import { type EncoderOptions, textEncoder } from '../heads/text-model.ts'
import { tokenClassifier } from '../heads/token-classification.ts'
import { lastToken } from '../shared/decoder.ts'
import { checkEncoderInputs } from '../shared/encoder-mask.ts'
import type { TextFamily } from '../shared/family.ts'
import { t5Tokenizer } from '../shared/tokenizers.ts'
import { decoderLayers, type T5Config, t5Format, type t5Schema } from './t5-config.ts'
import { sameTextStates, T5Encoder, T5EncoderDecoder } from './t5-layers.ts'

/** Differences of a T5 variant. */
export interface T5Variant {
  readonly modelType: string
  readonly title: string
  readonly schema: () => z.ZodType<z.output<ReturnType<typeof t5Schema>>>
  /** Whether the output layer shares the weight of the embeddings, and whether its inputs are divided by √C. */
  readonly output: (config: T5Config) => { tied: boolean; scaled: boolean }
}

type Encoder = TextFamily<T5Config, T5Encoder, 'transformer'>
type Both = TextFamily<T5Config, T5EncoderDecoder, 'transformer'> &
  Seq2SeqFamily<T5Config, T5EncoderDecoder, 'transformer'>

/** The two stacks of a variant. Some heads need only the encoder. */
export function t5Family({ modelType, title, schema }: T5Variant): {
  encoder: Encoder
  both: Both
} {
  const shared = {
    modelType,
    title,
    config: t5Format(schema, title),
    prefix: 'transformer',
    contextLength: () => Number.POSITIVE_INFINITY, // positions are relative
  } as const
  const names = { width: 'd_model', embeddings: 'shared' } as const
  return {
    encoder: {
      ...shared,
      Stack: T5Encoder,
      names: { ...names, layers: ['encoder.block'], required: ['shared', 'encoder'] },
      ignoredKeys: /^(transformer\.)?(decoder|lm_head)\./,
    },
    both: {
      ...shared,
      Stack: T5EncoderDecoder,
      names: {
        ...names,
        layers: ['encoder.block', 'decoder.block'],
        required: ['shared', 'encoder', 'decoder'],
      },
      // Old checkpoints contain unused relative biases of cross-attention.
      ignoredKeys: /EncDecAttention\.relative_attention_bias\./,
      targetVocabSize: ({ vocab_size }) => vocab_size,
      createCache: ({ config }, size) => {
        const { num_heads: heads, d_kv: headDim } = config
        return new EncoderDecoderCache({ layers: decoderLayers(config), heads, headDim, ...size })
      },
    },
  }
}

/** The classes of a variant. @param name prefix of their names in transformers */
export function t5Heads(variant: T5Variant, name: string) {
  const { encoder, both } = t5Family(variant)
  return {
    ForConditionalGeneration: conditionalGeneration(both, variant, name),
    EncoderModel: textEncoder(encoder, `${name}EncoderModel`),
    ForSequenceClassification: sequenceClassifier(both, {
      architectures: `${name}ForSequenceClassification`,
      layers: (config, { labelCount }) => ({
        /** Hidden state of the last end token to logits of the labels. */
        classification_head: new ClassificationHead(config, labelCount),
      }),
      logits: ({ classification_head }, states) => classification_head.forward(states),
      pool: lastEnd,
    }),
    ForTokenClassification: tokenClassifier(encoder, {
      architectures: `${name}ForTokenClassification`,
      layers: (config, { labelCount }) => ({
        /** Dropout of the hidden states. */
        dropout: new Dropout(config.classifier_dropout ?? 0),
        /** Hidden states to logits of the labels, C to K features. */
        classifier: headLinear(config, labelCount),
      }),
      logits: classify,
    }),
    ForQuestionAnswering: questionAnswerer(both, name),
  }
}

/** Parts of the definition that all variants share. */
export const t5Defaults = {
  otherNames: [],
  sizes: ({ layers, heads, dim }) => ({
    d_model: dim,
    d_kv: dim / heads,
    d_ff: 4 * dim,
    num_layers: layers,
    num_heads: heads,
  }),
  dropout: ['dropout_rate'],
  tokenizer: t5Tokenizer,
  image: null,
  task: 'span-corruption',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: {
    lora: ['q', 'v'],
    ia3: ['k', 'v'],
    feedForward: ['wo'],
    blocks: {
      attention: ['SelfAttention.o', 'EncDecAttention.o'],
      feedForward: ['DenseReluDense', 'wo'],
    },
  },
  presets: {},
} as const satisfies Partial<ModelDefinition>

type Layers = Pick<T5EncoderDecoder, 'shared' | 'encoder' | 'decoder'>

function conditionalGeneration(
  family: Both,
  { output }: T5Variant,
  name: string,
): HeadClass<T5Config, Seq2SeqLM & Layers & OutputLayer> {
  const Model: HeadClass<T5Config, Seq2SeqLM & Layers & OutputLayer> = headClass(
    Seq2SeqModel<T5Config, T5EncoderDecoder, OutputLayer>,
    'seq2seq-lm',
    family,
    {
      architectures: [`${name}ForConditionalGeneration`, `${name}WithLMHeadModel`],
      prefix: null,
      layers: (config, { stack }) => ({
        lm_head: new Linear(config.d_model, config.vocab_size, {
          bias: false,
          std: config.initializer_factor,
          weight: output(config).tied ? stack.shared.weight : undefined,
        }),
      }),
      logits: ({ lm_head }, states, { config }) =>
        lm_head.forward(output(config).scaled ? states.div(Math.sqrt(config.d_model)) : states),
    },
  )
  const Generator: typeof Model = class extends Model {
    /** If a checkpoint has no output layer, the embeddings are used instead, regardless of the config. */
    override matchState(stored: Parameters<Module['matchState']>[0], options: LoadOptions = {}) {
      if (!Object.hasOwn(stored, 'lm_head.weight')) this.lm_head.weight = this.shared.weight
      return super.matchState(stored, options)
    }
  }
  return Generator
}

const questionAnswerer = (
  family: Both,
  name: string,
): HeadClass<T5Config, QuestionAnswerer & Layers & SpanLayer> =>
  headClass(T5QuestionAnswerer, 'question-answering', family, {
    architectures: `${name}ForQuestionAnswering`,
    prefix: null,
    layers: (config) => ({ qa_outputs: headLinear(config, 2) }),
    logits: ({ qa_outputs }, states) => qa_outputs.forward(states),
  })

/** T5 for extractive question answering. */
export class T5QuestionAnswerer extends QuestionAnswererModel<
  T5Config,
  T5EncoderDecoder,
  SpanLayer
> {
  protected override states(ids: Tensor, options: EncoderOptions = {}): Tensor {
    checkEncoderInputs(this, ids, options)
    return sameTextStates(this.stack, ids, options)
  }
}

/** Classification head of T5. */
export class ClassificationHead extends Module<T5Config> {
  dense = headLinear(this.config, this.config.d_model)
  dropout = new Dropout(this.config.classifier_dropout ?? 0)
  out_proj: Linear

  constructor(config: T5Config, labelCount: number) {
    super(config)
    this.out_proj = headLinear(config, labelCount)
  }

  /** Computes logits: (B, C) -> (B, K). */
  forward(states: Tensor): Tensor {
    const inner = this.dense.forward(this.dropout.forward(states)).tanh()
    return this.out_proj.forward(this.dropout.forward(inner))
  }
}

/** The hidden state (B, C) of the last end-of-text token, or of the last token if the config has no such token. */
function lastEnd(
  states: Tensor,
  ids: Tensor,
  { eos_token_id, pad_token_id: padTokenId }: T5Config,
  attentionMask?: Tensor,
): Tensor {
  const ends = [eos_token_id ?? []].flat().map((id) => ids.eq(id))
  if (ends.length === 0) return lastToken(states, ids, { attentionMask, padTokenId })
  return lastToken(states, ids, { attentionMask: ends.reduce((a, b) => a.logicalOr(b)) })
}

const headLinear = (config: T5Config, outputs: number): Linear =>
  new Linear(config.d_model, outputs, {
    std: config.initializer_factor / Math.sqrt(config.d_model),
  })
