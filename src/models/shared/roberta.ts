// RoBERTa (Liu et al., 2019) and its variants: BERT with other positions and heads.
// B batch, T tokens, C = hidden_size, V = vocab_size, K labels
import type { z } from 'zod'
import { countedPositions, Dropout, type Linear, Module, packedTexts } from '../../nn/index.ts'
import { F, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import type { ModelDefinition } from '../definition.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { classify } from '../heads/headed-model.ts'
import { maskedLM } from '../heads/masked-lm.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { sequenceClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { tokenClassifier } from '../heads/token-classification.ts'
import {
  BertEmbeddings,
  BertStack,
  bertClassifier,
  bertDropout,
  bertFamily,
  bertSchema,
  linear,
  norm,
  requireDecoder,
  vocabularyDecoder,
} from './bert.ts'
import { dimension } from './config.ts'
import type { DecoderFamily, TextStackOptions } from './family.ts'
import { bertSizes } from './sizes.ts'
import { robertaTokenizer } from './tokenizers.ts'

/** Schema of RoBERTa's config.json. */
export const robertaSchema = once(() => {
  const { pad_token_id, bos_token_id, eos_token_id } = bertSchema().shape
  return bertSchema().extend({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(50265),
    /** Id of the padding token. Position ids start after it. */
    pad_token_id: pad_token_id.unwrap().unwrap().default(1),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: bos_token_id.default(0),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eos_token_id.default(2),
  })
})

/**
 * Config of RoBERTa and its variants.
 * @interface
 */
export type RobertaConfig = z.output<ReturnType<typeof robertaSchema>>

class RobertaEmbeddings extends BertEmbeddings {
  /** Positions start at the padding id + 1 and count only tokens. Padding has the position of its id. */
  protected override positions(ids: Tensor, { cache, attentionMask }: TextStackOptions): Tensor {
    const paddingIndex = this.config.pad_token_id as number
    const counts = ids.ne(paddingIndex).to('i32') // (B, T)
    const texts = packedTexts(attentionMask)
    const own = texts ? countedPositions(texts).add(1) : counts.cumsum(1)
    const places = cache ? own.add(cache.position()) : own
    const positions = places.mul(counts).add(paddingIndex)
    return F.embedding(positions, this.position_embeddings.weight, { paddingIndex }) // (B, T, C)
  }
}

class RobertaStack extends BertStack {
  override embeddings = new RobertaEmbeddings(this.config)
}

/** Output layer of masked language models. */
export class LMHead extends Module<RobertaConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  layer_norm = norm(this.config)
  bias = new Parameter(zeros([this.config.vocab_size]))
  decoder: Linear

  constructor(config: RobertaConfig, embeddings: Parameter) {
    super(config)
    this.decoder = vocabularyDecoder(config, embeddings, this.bias)
  }

  forward(states: Tensor): Tensor {
    return this.decoder.forward(this.layer_norm.forward(this.dense.forward(states).gelu()))
  }
}

/** Classification head on the first token. */
export class ClassificationHead extends Module<RobertaConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  dropout = new Dropout(this.config.classifier_dropout ?? this.config.hidden_dropout_prob)
  out_proj: Linear

  constructor(config: RobertaConfig, labelCount: number) {
    super(config)
    this.out_proj = linear(config.hidden_size, labelCount, config)
  }

  forward(states: Tensor): Tensor {
    const first = this.dropout.forward(states.select(1, 0)) // (B, T, C) -> (B, C)
    return this.out_proj.forward(this.dropout.forward(this.dense.forward(first).tanh()))
  }
}

/** The family of a RoBERTa variant. All of them name the stack `roberta`. */
export const robertaFamily = (
  modelType: string,
  title: string,
  schema: () => z.ZodType<RobertaConfig> = robertaSchema,
): DecoderFamily<RobertaConfig, BertStack, 'roberta'> =>
  bertFamily({
    modelType,
    title,
    schema,
    prefix: 'roberta',
    Stack: RobertaStack,
    contextLength: (config) => config.max_position_embeddings - config.pad_token_id - 1,
  })

/** The classes of a RoBERTa variant. @param name prefix of their names in transformers */
export const robertaHeads = (family: ReturnType<typeof robertaFamily>, name: string) => ({
  Model: textEncoder(family, `${name}Model`),
  ForMaskedLM: maskedLM(family, {
    architectures: `${name}ForMaskedLM`,
    layers: (config, { embeddings }) => ({
      /** Hidden states to logits of the vocabulary. */
      lm_head: new LMHead(config, embeddings().weight),
    }),
    logits: ({ lm_head }, states) => lm_head.forward(states),
  }),
  ForSequenceClassification: sequenceClassifier(family, {
    architectures: `${name}ForSequenceClassification`,
    layers: (config, { labelCount }) => ({
      /** Hidden state of the first token to logits of the labels, C to K features. */
      classifier: new ClassificationHead(config, labelCount),
    }),
    logits: ({ classifier }, states) => classifier.forward(states),
  }),
  ForTokenClassification: tokenClassifier(family, {
    architectures: `${name}ForTokenClassification`,
    layers: bertClassifier,
    logits: classify,
  }),
  ForQuestionAnswering: questionAnswerer(family, { architectures: `${name}ForQuestionAnswering` }),
  ForCausalLM: causalLM(family, `${name}ForCausalLM`, {
    layers: (config, { embeddings }) => {
      requireDecoder(config, family.title)
      return { lm_head: new LMHead(config, embeddings().weight) }
    },
    logits: ({ lm_head }, states) => lm_head.forward(states),
  }),
})

/** Parts of the definition that all variants share. */
export const robertaDefaults = {
  otherNames: [],
  // Positions start after the padding id.
  sizes: (sizes) => ({
    ...bertSizes(sizes),
    max_position_embeddings: sizes.context + sizes.padTokenId + 1,
    type_vocab_size: 1,
  }),
  dropout: bertDropout,
  tokenizer: robertaTokenizer,
  image: null,
  task: 'fill-mask',
  maskedLanguageModeling: 'masked-lm',
  gguf: null,
  adapterTargets: {
    lora: ['query', 'value'],
    ia3: ['key', 'value'],
    feedForward: ['output.dense'],
    blocks: {
      attention: ['attention.output.dense'],
      feedForward: ['intermediate', 'output.dense'],
    },
  },
  presets: {},
} as const satisfies Partial<ModelDefinition>
