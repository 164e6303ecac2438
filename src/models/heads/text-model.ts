import type { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'

// B batch, T tokens, C width, V vocabulary, K labels

export interface EncoderOptions {
  /** bool (B, T): true where a token counts, false where it is padding. Default: all count. */
  attentionMask?: Tensor
  /** i32 (B, T): which of two texts a token belongs to, where the model tells them apart. */
  tokenTypeIds?: Tensor
}

/** What all models that read a whole text at once have in common. */
export interface EncoderModel extends Module {
  /** The most tokens that it can see. */
  readonly contextLength: number
  readonly vocabSize: number
}

/** The encoder alone. */
export interface TextEncoder extends EncoderModel {
  readonly hiddenSize: number
  /** ids (B, T) i32 -> states (B, T, C). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
}

export interface MaskedLMOptions extends EncoderOptions {
  /**
   * i32 (N): computes logits at these places only, which count through all rows: row·T + column. They
   * are (N, V) then, and labels (N): most of the work is saved where few tokens are masked.
   */
  logitsAt?: Tensor
}

/** Predicts what stood where a token was masked (Devlin et al., 2019). */
export interface MaskedLM extends EncoderModel {
  /** ids (B, T) i32 -> logits (B, T, V). */
  forward(ids: Tensor, options?: MaskedLMOptions): Tensor
  /** Mean cross-entropy of labels (B, T); -100 counts for nothing. */
  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor
}

/** States (B, T, C) at those places, (N, C); all of them where there are none. */
export function statesAt(states: Tensor, logitsAt?: Tensor): Tensor {
  return logitsAt ? states.reshape(-1, states.shape[2]).take(logitsAt) : states
}

/** Tells whether the second of two texts follows the first (Devlin et al., 2019). */
export interface NextSentencePredictor extends EncoderModel {
  /** ids (B, T) i32 -> logits (B, 2): of 0, it follows, and 1, it does not. */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
  /** Mean cross-entropy of labels (B). */
  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor
}

export interface PretrainingLogits {
  /** (B, T, V) or (N, V), as of a masked language model. */
  tokens: Tensor
  /** (B, 2). */
  nextSentence: Tensor
}

export interface PretrainingLabels {
  /** i32 (B, T) or (N); -100 counts for nothing. */
  tokens: Tensor
  /** i32 (B): 0, the second text follows the first; 1, it does not. */
  nextSentence: Tensor
}

/** Both objectives that BERT is trained with. */
export interface Pretraining extends EncoderModel {
  forward(ids: Tensor, options?: MaskedLMOptions): PretrainingLogits
  /** The sum of both cross-entropies. */
  loss(ids: Tensor, labels: PretrainingLabels, options?: MaskedLMOptions): Tensor
}

/** One label, or several, for a whole text. */
export interface SequenceClassifier extends EncoderModel {
  /** K names, in the order of the logits. */
  readonly labels: readonly string[]
  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
  /** Of labels (B) i32: cross-entropy; (B, K) f32: each label on its own; of one label: squared error. */
  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor
  /** Where the next token can be predicted too: that loss, weighted, is added (Radford et al., 2018). */
  jointLoss?(ids: Tensor, labels: Tensor, options: JointLossOptions): Tensor
}

export interface JointLossOptions extends EncoderOptions {
  /** λ of the paper, which has 0.5. */
  lmWeight: number
}

/** A label for each token. */
export interface TokenClassifier extends EncoderModel {
  readonly labels: readonly string[]
  /** ids (B, T) i32 -> logits (B, T, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
  /** Mean cross-entropy of labels (B, T); -100 counts for nothing. */
  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor
}

export interface Span {
  /** Logits (B, T) of the answer's first token. */
  start: Tensor
  /** Logits (B, T) of its last token. */
  end: Tensor
}

/** Finds the answer to a question in a text. */
export interface QuestionAnswerer extends EncoderModel {
  forward(ids: Tensor, options?: EncoderOptions): Span
  /** The mean of both ends' cross-entropies; `start` and `end` are (B) i32. */
  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor
}
