// BERT (Devlin et al., 2019): its two training objectives, and other heads. The stack is in shared/bert.ts.
// B batch, T tokens, C = hidden_size, V = vocab_size
import { activations, type Linear, Module } from '../../nn/index.ts'
import { Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import { defineModel } from '../definition.ts'
import { bertGGUF } from '../gguf/bert.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { classify } from '../heads/headed-model.ts'
import { maskedLM } from '../heads/masked-lm.ts'
import { nextSentencePredictor } from '../heads/next-sentence.ts'
import { pretraining } from '../heads/pretraining.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { sequenceClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { tokenClassifier } from '../heads/token-classification.ts'
import {
  type BertConfig,
  bertClassifier,
  bertDropout,
  bertFamily,
  bertSchema,
  linear,
  norm,
  requireDecoder,
  vocabularyDecoder,
} from '../shared/bert.ts'
import { bertSizes } from '../shared/sizes.ts'
import { bertTokenizer } from '../shared/tokenizers.ts'

export type { BertConfig }

class Transform extends Module<BertConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  LayerNorm = norm(this.config)

  forward(states: Tensor): Tensor {
    return this.LayerNorm.forward(activations[this.config.hidden_act](this.dense.forward(states)))
  }
}

class Predictions extends Module<BertConfig> {
  transform = new Transform(this.config)
  bias = new Parameter(zeros([this.config.vocab_size]))
  decoder: Linear

  constructor(config: BertConfig, embeddings: Parameter) {
    super(config)
    this.decoder = vocabularyDecoder(config, embeddings, this.bias)
  }

  forward(states: Tensor): Tensor {
    return this.decoder.forward(this.transform.forward(states)) // (B, T, C) -> (B, T, V)
  }
}

class MaskedHead extends Module<BertConfig> {
  predictions: Predictions

  constructor(config: BertConfig, embeddings: Parameter) {
    super(config)
    this.predictions = new Predictions(config, embeddings)
  }

  forward(states: Tensor): Tensor {
    return this.predictions.forward(states)
  }
}

class NextSentenceHead extends Module<BertConfig> {
  seq_relationship = linear(this.config.hidden_size, 2, this.config)

  forward(pooled: Tensor): Tensor {
    return this.seq_relationship.forward(pooled)
  }
}

class PretrainingHeads extends MaskedHead {
  seq_relationship = linear(this.config.hidden_size, 2, this.config)
}

const family = bertFamily({ modelType: 'bert', title: 'BERT', schema: bertSchema, prefix: 'bert' })

/** BERT without a head: hidden states of tokens. */
export class BertModel extends textEncoder(family, 'BertModel') {}
/** BERT for masked language modelling. */
export class BertForMaskedLM extends maskedLM(family, {
  architectures: 'BertForMaskedLM',
  layers: (config, { embeddings }) => ({
    /** Hidden states to logits of the vocabulary. */
    cls: new MaskedHead(config, embeddings().weight),
  }),
  logits: ({ cls }, states) => cls.forward(states),
}) {}
/** BERT with both training objectives. */
export class BertForPreTraining extends pretraining(family, {
  architectures: 'BertForPreTraining',
  pooler: true,
  layers: (config, { embeddings }) => ({
    /** Hidden states to logits of the vocabulary, and of the second text following the first one. */
    cls: new PretrainingHeads(config, embeddings().weight),
  }),
  logits: ({ cls }, states) => cls.forward(states),
  nextSentence: ({ cls }, states, { stack }) => cls.seq_relationship.forward(stack.pooled(states)),
}) {}
/** BERT for next sentence prediction. */
export class BertForNextSentencePrediction extends nextSentencePredictor(family, {
  architectures: 'BertForNextSentencePrediction',
  pooler: true,
  layers: (config) => ({
    /** Pooled hidden state to the logits of both answers. */
    cls: new NextSentenceHead(config),
  }),
  logits: ({ cls }, states, { stack }) => cls.forward(stack.pooled(states)),
}) {}
/** BERT for text classification. */
export class BertForSequenceClassification extends sequenceClassifier(family, {
  architectures: 'BertForSequenceClassification',
  pooler: true,
  layers: bertClassifier,
  logits: (layers, states, { stack }) => classify(layers, stack.pooled(states)),
}) {}
/** BERT for token classification. */
export class BertForTokenClassification extends tokenClassifier(family, {
  architectures: 'BertForTokenClassification',
  layers: bertClassifier,
  logits: classify,
}) {}
/** BERT for extractive question answering. */
export class BertForQuestionAnswering extends questionAnswerer(family, {
  architectures: 'BertForQuestionAnswering',
}) {}
/** BERT as a causal language model. `is_decoder` must be true. */
export class BertLMHeadModel extends causalLM(family, 'BertLMHeadModel', {
  layers: (config, { embeddings }) => {
    requireDecoder(config, family.title)
    return {
      /** Hidden states to logits of the vocabulary. */
      cls: new MaskedHead(config, embeddings().weight),
    }
  },
  logits: ({ cls }, states) => cls.forward(states),
}) {}

/** Definition of the BERT family. */
export const bert = defineModel({
  ...family,
  paper:
    'Devlin et al. (2019). BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding',
  otherNames: [],
  heads: [
    BertModel,
    BertForMaskedLM,
    BertForPreTraining,
    BertForNextSentencePrediction,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertForQuestionAnswering,
    BertLMHeadModel,
  ],
  sizes: bertSizes,
  dropout: bertDropout,
  tokenizer: bertTokenizer,
  image: null,
  task: 'fill-mask',
  maskedLanguageModeling: 'pretraining',
  gguf: bertGGUF,
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
})
