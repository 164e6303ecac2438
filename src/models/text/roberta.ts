// RoBERTa (Liu et al., 2019): BERT with other positions and heads, trained better.
// B batch, T tokens, C = hidden_size, V = vocab_size, K labels
import type { z } from 'zod'
import { Linear, Module } from '../../nn/index.ts'
import { F, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
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
import { parseConfig, size } from '../shared/config.ts'
import { classificationLoss, labelsOf, spanLoss, spanOf } from '../shared/labels.ts'
import { BertEmbeddings, BertModel, bertSchema, headDropout, linear, norm } from './bert.ts'

const { pad_token_id, bos_token_id, eos_token_id } = bertSchema.shape
const schema = bertSchema.extend({
  vocab_size: size.default(50265),
  pad_token_id: pad_token_id.unwrap().unwrap().default(1), // positions are counted from it
  bos_token_id: bos_token_id.default(0),
  eos_token_id: eos_token_id.default(2),
})

export type RobertaConfig = z.output<typeof schema>

const robertaConfig = (config: object): RobertaConfig => parseConfig(schema, config, 'RoBERTa')

class RobertaEmbeddings extends BertEmbeddings {
  /** Counted over the tokens that are no padding, from the padding's id + 1 on; padding has its own. */
  protected override positions(ids: Tensor): Tensor {
    const paddingIndex = this.config.pad_token_id as number
    const counts = ids.ne(paddingIndex).to('i32') // (B, T)
    const positions = counts.cumsum(1).mul(counts).add(paddingIndex)
    return F.embedding(positions, this.position_embeddings.weight, { paddingIndex }) // (B, T, C)
  }
}

export class RobertaModel extends BertModel {
  static override readonly modelType = 'roberta'
  static override readonly architectures = ['RobertaModel']

  override embeddings = new RobertaEmbeddings(this.config)

  constructor(config: Partial<RobertaConfig> = {}, parts?: { pooler: boolean }) {
    super(robertaConfig(config), parts)
  }

  override get contextLength(): number {
    return this.config.max_position_embeddings - (this.config.pad_token_id as number) - 1
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'roberta' })
  }
}

/** A model with the encoder below it. */
abstract class RobertaHead extends Module<RobertaConfig> implements EncoderModel {
  static readonly modelType = 'roberta'
  static readonly base = ['roberta.embeddings', 'roberta.encoder']

  roberta = new RobertaModel(this.config, { pooler: false })

  constructor(config: Partial<RobertaConfig> = {}) {
    super(robertaConfig(config))
  }

  get contextLength(): number {
    return this.roberta.contextLength
  }

  get vocabSize(): number {
    return this.roberta.vocabSize
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { add: 'roberta' })
  }
}

class LMHead extends Module<RobertaConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  layer_norm = norm(this.config)
  bias = new Parameter(zeros([this.config.vocab_size]))
  decoder: Linear

  constructor(config: RobertaConfig, embeddings: Parameter) {
    super(config)
    // Untied, the decoder has a bias of its own and the one above is idle, as in transformers.
    this.decoder = config.tie_word_embeddings
      ? new Linear(config.hidden_size, config.vocab_size, { weight: embeddings, bias: this.bias })
      : linear(config.hidden_size, config.vocab_size, config)
  }

  forward(states: Tensor): Tensor {
    return this.decoder.forward(this.layer_norm.forward(this.dense.forward(states).gelu()))
  }
}

export class RobertaForMaskedLM extends RobertaHead implements MaskedLM {
  static readonly architectures = ['RobertaForMaskedLM']
  static readonly head = 'masked-lm'

  lm_head = new LMHead(this.config, this.roberta.embeddings.word_embeddings.weight)

  /** ids (B, T) i32 -> logits (B, T, V). */
  forward(ids: Tensor, options?: MaskedLMOptions): Tensor {
    return this.lm_head.forward(statesAt(this.roberta.forward(ids, options), options?.logitsAt))
  }

  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

class ClassificationHead extends Module<RobertaConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  dropout = headDropout(this.config)
  out_proj = linear(this.config.hidden_size, labelsOf(this.config).length, this.config)

  forward(states: Tensor): Tensor {
    const first = this.dropout.forward(states.select(1, 0)) // (B, T, C) -> (B, C)
    return this.out_proj.forward(this.dropout.forward(this.dense.forward(first).tanh()))
  }
}

export class RobertaForSequenceClassification extends RobertaHead implements SequenceClassifier {
  static readonly architectures = ['RobertaForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  classifier = new ClassificationHead(this.config)

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.classifier.forward(this.roberta.forward(ids, options))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

export class RobertaForTokenClassification extends RobertaHead implements TokenClassifier {
  static readonly architectures = ['RobertaForTokenClassification']
  static readonly head = 'token-classification'

  readonly labels = labelsOf(this.config)
  dropout = headDropout(this.config)
  classifier = linear(this.config.hidden_size, this.labels.length, this.config)

  /** ids (B, T) i32 -> logits (B, T, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.classifier.forward(this.dropout.forward(this.roberta.forward(ids, options)))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}

export class RobertaForQuestionAnswering extends RobertaHead implements QuestionAnswerer {
  static readonly architectures = ['RobertaForQuestionAnswering']
  static readonly head = 'question-answering'

  qa_outputs = linear(this.config.hidden_size, 2, this.config)

  /** ids (B, T) i32 -> logits (B, T) of the answer's first and last token. */
  forward(ids: Tensor, options?: EncoderOptions): Span {
    return spanOf(this.qa_outputs.forward(this.roberta.forward(ids, options)))
  }

  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor {
    return spanLoss(this.forward(ids, options), answer)
  }
}
