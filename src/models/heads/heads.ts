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

/** What a model can be for, as in transformers' AutoModelFor…, and what it then can do. */
export interface Heads {
  'causal-lm': CausalLM
  'seq2seq-lm': Seq2SeqLM
  encoder: TextEncoder
  'masked-lm': MaskedLM
  'next-sentence-prediction': NextSentencePredictor
  pretraining: Pretraining
  'sequence-classification': SequenceClassifier
  'token-classification': TokenClassifier
  'question-answering': QuestionAnswerer
  'image-features': ImageEncoder
  'image-classification': ImageClassifier
}

export type Head = keyof Heads

/** What a model with a head can do, in the words of a message. */
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
