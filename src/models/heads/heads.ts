import type { CausalLM } from './causal-lm.ts'
import type { ImageClassifier, ImageEncoder } from './image-model.ts'
import type { MaskedLM } from './masked-lm.ts'
import type { NextSentencePredictor } from './next-sentence.ts'
import type { Pretraining } from './pretraining.ts'
import type { QuestionAnswerer } from './question-answering.ts'
import type { Seq2SeqLM } from './seq2seq-lm.ts'
import type { SequenceClassifier } from './sequence-classification.ts'
import type { TextEncoder } from './text-model.ts'
import type { TokenClassifier } from './token-classification.ts'

/** The heads, named as in transformers' AutoModelFor…, with the interface of models that have them. */
export interface Heads {
  /** Predicts the next token. */
  'causal-lm': CausalLM
  /** Encodes a source text and predicts the next token of the target. */
  'seq2seq-lm': Seq2SeqLM
  /** Returns hidden states, without a head. */
  encoder: TextEncoder
  /** Predicts masked tokens. */
  'masked-lm': MaskedLM
  /** Predicts whether the second text follows the first one. */
  'next-sentence-prediction': NextSentencePredictor
  /** Predicts masked tokens and whether the second text follows the first one. */
  pretraining: Pretraining
  /** Classifies texts. */
  'sequence-classification': SequenceClassifier
  /** Classifies tokens. */
  'token-classification': TokenClassifier
  /** Finds the start and the end of an answer. */
  'question-answering': QuestionAnswerer
  /** Returns features of images, without a head. */
  'image-features': ImageEncoder
  /** Classifies images. */
  'image-classification': ImageClassifier
}

/** Name of a head. */
export type Head = keyof Heads

/** What models with a head can do, for messages. */
export const ABILITIES: Readonly<Record<Head, string>> = {
  'causal-lm': 'write text',
  'seq2seq-lm': 'translate or rewrite texts',
  encoder: 'embed texts',
  'masked-lm': 'fill masks',
  'next-sentence-prediction': 'predict whether a sentence follows another',
  pretraining: 'fill masks and predict whether a sentence follows another',
  'sequence-classification': 'classify texts',
  'token-classification': 'tag words',
  'question-answering': 'find answers in a text',
  'image-features': 'embed images',
  'image-classification': 'classify images',
}
