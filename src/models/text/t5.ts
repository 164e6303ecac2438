// T5 (Raffel et al., 2020), T5 v1.1 and Flan-T5. The latter two have gated layers (Shazeer, 2020).
import { defineModel } from '../definition.ts'
import { t5Schema } from './t5-config.ts'
import { type T5Variant, t5Defaults, t5Family, t5Heads } from './t5-heads.ts'

export type { T5Config } from './t5-config.ts'

const variant: T5Variant = {
  modelType: 't5',
  title: 'T5',
  schema: t5Schema,
  output: ({ scale_decoder_outputs, tie_word_embeddings }) => {
    const scaled = scale_decoder_outputs ?? tie_word_embeddings
    return { tied: scaled, scaled }
  },
}
const heads = t5Heads(variant, 'T5')

/** T5 for text generation from a source text. */
export class T5ForConditionalGeneration extends heads.ForConditionalGeneration {}
/** T5's encoder: hidden states of tokens. */
export class T5EncoderModel extends heads.EncoderModel {}
/** T5 for text classification. */
export class T5ForSequenceClassification extends heads.ForSequenceClassification {}
/** T5 for token classification. */
export class T5ForTokenClassification extends heads.ForTokenClassification {}
/** T5 for extractive question answering. */
export class T5ForQuestionAnswering extends heads.ForQuestionAnswering {}

/** Definition of the T5 family. */
export const t5 = defineModel({
  ...t5Family(variant).both,
  ...t5Defaults,
  paper:
    'Raffel et al. (2020). Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer',
  heads: [
    T5ForConditionalGeneration,
    T5EncoderModel,
    T5ForSequenceClassification,
    T5ForTokenClassification,
    T5ForQuestionAnswering,
  ],
})
