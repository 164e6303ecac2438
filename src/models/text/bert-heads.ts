// What BERT (Devlin et al., 2019) is for: the two objectives of its training, and tasks.
// B batch, T tokens, C = hidden_size, V = vocab_size, K labels
import { activations, Linear, Module } from '../../nn/index.ts'
import { F, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type MaskedLM,
  type MaskedLMOptions,
  type NextSentencePredictor,
  type Pretraining,
  type PretrainingLabels,
  type PretrainingLogits,
  type QuestionAnswerer,
  type SequenceClassifier,
  type Span,
  statesAt,
  type TokenClassifier,
} from '../heads/text-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { classificationLoss, labelsOf, spanLoss, spanOf } from '../shared/labels.ts'
import { type BertConfig, BertModel, bertConfig, headDropout, linear, norm } from './bert.ts'

/** A model with the encoder below it. */
abstract class BertHead extends Module<BertConfig> implements EncoderModel {
  static readonly modelType = 'bert'
  static readonly base = ['bert.embeddings', 'bert.encoder']

  bert: BertModel

  constructor(config: Partial<BertConfig> = {}, parts: { pooler: boolean }) {
    super(bertConfig(config))
    this.bert = new BertModel(this.config, parts)
  }

  get contextLength(): number {
    return this.bert.contextLength
  }

  get vocabSize(): number {
    return this.bert.vocabSize
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { add: 'bert' })
  }
}

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
    // Untied, the decoder has a bias of its own and the one above is idle, as in transformers.
    this.decoder = config.tie_word_embeddings
      ? new Linear(config.hidden_size, config.vocab_size, { weight: embeddings, bias: this.bias })
      : linear(config.hidden_size, config.vocab_size, config)
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

export class BertForMaskedLM extends BertHead implements MaskedLM {
  static readonly architectures = ['BertForMaskedLM']
  static readonly head = 'masked-lm'

  cls: MaskedHead

  constructor(config: Partial<BertConfig> = {}) {
    super(config, { pooler: false })
    this.cls = new MaskedHead(this.config, this.bert.embeddings.word_embeddings.weight)
  }

  /** ids (B, T) i32 -> logits (B, T, V). */
  forward(ids: Tensor, options?: MaskedLMOptions): Tensor {
    return this.cls.forward(statesAt(this.bert.forward(ids, options), options?.logitsAt))
  }

  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

export class BertForNextSentencePrediction extends BertHead implements NextSentencePredictor {
  static readonly architectures = ['BertForNextSentencePrediction']
  static readonly head = 'next-sentence-prediction'

  cls = new NextSentenceHead(this.config)

  constructor(config: Partial<BertConfig> = {}) {
    super(config, { pooler: true })
  }

  /** ids (B, T) i32 -> logits (B, 2). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.cls.forward(this.bert.pooled(this.bert.forward(ids, options)))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

/** Both objectives at once. */
export class BertForPreTraining extends BertHead implements Pretraining {
  static readonly architectures = ['BertForPreTraining']
  static readonly head = 'pretraining'

  cls: PretrainingHeads

  constructor(config: Partial<BertConfig> = {}) {
    super(config, { pooler: true })
    this.cls = new PretrainingHeads(this.config, this.bert.embeddings.word_embeddings.weight)
  }

  forward(ids: Tensor, options?: MaskedLMOptions): PretrainingLogits {
    const states = this.bert.forward(ids, options)
    return {
      tokens: this.cls.forward(statesAt(states, options?.logitsAt)),
      nextSentence: this.cls.seq_relationship.forward(this.bert.pooled(states)),
    }
  }

  /** The sum of both losses. */
  loss(ids: Tensor, labels: PretrainingLabels, options?: MaskedLMOptions): Tensor {
    const { tokens, nextSentence } = this.forward(ids, options)
    const masked = F.crossEntropy(tokens, labels.tokens)
    return masked.add(F.crossEntropy(nextSentence, labels.nextSentence))
  }
}

export class BertForSequenceClassification extends BertHead implements SequenceClassifier {
  static readonly architectures = ['BertForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  dropout = headDropout(this.config)
  classifier = linear(this.config.hidden_size, this.labels.length, this.config)

  constructor(config: Partial<BertConfig> = {}) {
    super(config, { pooler: true })
  }

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    const pooled = this.bert.pooled(this.bert.forward(ids, options))
    return this.classifier.forward(this.dropout.forward(pooled))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

export class BertForTokenClassification extends BertHead implements TokenClassifier {
  static readonly architectures = ['BertForTokenClassification']
  static readonly head = 'token-classification'

  readonly labels = labelsOf(this.config)
  dropout = headDropout(this.config)
  classifier = linear(this.config.hidden_size, this.labels.length, this.config)

  constructor(config: Partial<BertConfig> = {}) {
    super(config, { pooler: false })
  }

  /** ids (B, T) i32 -> logits (B, T, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.classifier.forward(this.dropout.forward(this.bert.forward(ids, options)))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

export class BertForQuestionAnswering extends BertHead implements QuestionAnswerer {
  static readonly architectures = ['BertForQuestionAnswering']
  static readonly head = 'question-answering'

  qa_outputs = linear(this.config.hidden_size, 2, this.config)

  constructor(config: Partial<BertConfig> = {}) {
    super(config, { pooler: false })
  }

  /** ids (B, T) i32 -> logits (B, T) of the answer's first and last token. */
  forward(ids: Tensor, options?: EncoderOptions): Span {
    return spanOf(this.qa_outputs.forward(this.bert.forward(ids, options)))
  }

  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor {
    return spanLoss(this.forward(ids, options), answer)
  }
}
