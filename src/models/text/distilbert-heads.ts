// What DistilBERT (Sanh et al., 2019) is for. Field names are checkpoint keys.
// B batch, T tokens, C = dim, V = vocab_size, K labels
import { activations, Dropout, Linear, Module } from '../../nn/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type MaskedLM,
  type MaskedLMOptions,
  type QuestionAnswerer,
  type SequenceClassifier,
  type Span,
  statesAt,
  type TokenClassifier,
} from '../heads/text-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { classificationLoss, labelsOf, spanLoss, spanOf } from '../shared/labels.ts'
import {
  type DistilBertConfig,
  DistilBertModel,
  distilBertConfig,
  linear,
  norm,
} from './distilbert.ts'

/** A model with the encoder below it. */
abstract class DistilBertHead extends Module<DistilBertConfig> implements EncoderModel {
  static readonly modelType = 'distilbert'
  static readonly base = 'distilbert'

  distilbert = new DistilBertModel(this.config)

  constructor(config: Partial<DistilBertConfig> = {}) {
    super(distilBertConfig(config))
  }

  get contextLength(): number {
    return this.distilbert.contextLength
  }

  get vocabSize(): number {
    return this.distilbert.vocabSize
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { add: 'distilbert' })
  }
}

export class DistilBertForMaskedLM extends DistilBertHead implements MaskedLM {
  static readonly architectures = ['DistilBertForMaskedLM']
  static readonly head = 'masked-lm'

  vocab_transform = linear(this.config.dim, this.config.dim, this.config)
  vocab_layer_norm = norm(this.config)
  vocab_projector = new Linear(this.config.dim, this.config.vocab_size, {
    std: this.config.initializer_range,
    weight: this.config.tie_word_embeddings
      ? this.distilbert.embeddings.word_embeddings.weight
      : undefined,
  })

  /** ids (B, T) i32 -> logits (B, T, V). */
  forward(ids: Tensor, options?: MaskedLMOptions): Tensor {
    const states = this.vocab_transform.forward(
      statesAt(this.distilbert.forward(ids, options), options?.logitsAt),
    )
    const activate = activations[this.config.activation]
    return this.vocab_projector.forward(this.vocab_layer_norm.forward(activate(states)))
  }

  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

export class DistilBertForSequenceClassification
  extends DistilBertHead
  implements SequenceClassifier
{
  static readonly architectures = ['DistilBertForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  pre_classifier = linear(this.config.dim, this.config.dim, this.config)
  dropout = new Dropout(this.config.seq_classif_dropout)
  classifier = linear(this.config.dim, this.labels.length, this.config)

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    const first = this.distilbert.forward(ids, options).select(1, 0) // (B, C)
    return this.classifier.forward(this.dropout.forward(this.pre_classifier.forward(first).relu()))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

export class DistilBertForTokenClassification extends DistilBertHead implements TokenClassifier {
  static readonly architectures = ['DistilBertForTokenClassification']
  static readonly head = 'token-classification'

  readonly labels = labelsOf(this.config)
  dropout = new Dropout(this.config.dropout)
  classifier = linear(this.config.dim, this.labels.length, this.config)

  /** ids (B, T) i32 -> logits (B, T, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.classifier.forward(this.dropout.forward(this.distilbert.forward(ids, options)))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

export class DistilBertForQuestionAnswering extends DistilBertHead implements QuestionAnswerer {
  static readonly architectures = ['DistilBertForQuestionAnswering']
  static readonly head = 'question-answering'

  qa_outputs = linear(this.config.dim, 2, this.config)
  dropout = new Dropout(this.config.qa_dropout)

  /** ids (B, T) i32 -> logits (B, T) of the answer's first and last token. */
  forward(ids: Tensor, options?: EncoderOptions): Span {
    const states = this.dropout.forward(this.distilbert.forward(ids, options))
    return spanOf(this.qa_outputs.forward(states))
  }

  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor {
    return spanLoss(this.forward(ids, options), answer)
  }
}
