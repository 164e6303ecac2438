import type { CausalLM } from './causal-lm.ts'
import type { ImageClassifier, ImageEncoder } from './image-model.ts'
import type { Seq2SeqLM } from './seq2seq-lm.ts'
import type {
  MaskedLM,
  NextSentencePredictor,
  Pretraining,
  QuestionAnswerer,
  SequenceClassifier,
  TextEncoder,
  TokenClassifier,
} from './text-model.ts'

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
