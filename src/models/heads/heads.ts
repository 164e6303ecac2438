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
