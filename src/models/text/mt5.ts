// mT5 (Xue et al., 2021): T5 v1.1 for 101 languages, with an output layer on unscaled states.
import { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { dimension, layerCount } from '../shared/config.ts'
import { t5Schema } from './t5-config.ts'
import { type T5Variant, t5Defaults, t5Family, t5Heads } from './t5-heads.ts'

const variant: T5Variant = {
  modelType: 'mt5',
  title: 'mT5',
  schema: once(() =>
    t5Schema().extend({
      vocab_size: dimension.default(250112),
      d_ff: dimension.default(1024),
      num_layers: layerCount.default(8),
      num_heads: layerCount.default(6),
      feed_forward_proj: z.string().default('gated-gelu'),
      tie_word_embeddings: z.boolean().default(false),
    }),
  ),
  // The output layer is never tied: transformers writes tie_word_embeddings: true regardless of the checkpoint.
  output: () => ({ tied: false, scaled: false }),
}
const heads = t5Heads(variant, 'MT5')

/** mT5 for text generation from a source text. */
export class MT5ForConditionalGeneration extends heads.ForConditionalGeneration {}
/** mT5's encoder: hidden states of tokens. */
export class MT5EncoderModel extends heads.EncoderModel {}
/** mT5 for text classification. */
export class MT5ForSequenceClassification extends heads.ForSequenceClassification {}
/** mT5 for token classification. */
export class MT5ForTokenClassification extends heads.ForTokenClassification {}
/** mT5 for extractive question answering. */
export class MT5ForQuestionAnswering extends heads.ForQuestionAnswering {}

/** Definition of the mT5 family. */
export const mt5 = defineModel({
  ...t5Family(variant).both,
  ...t5Defaults,
  paper: 'Xue et al. (2021). mT5: A Massively Multilingual Pre-trained Text-to-Text Transformer',
  heads: [
    MT5ForConditionalGeneration,
    MT5EncoderModel,
    MT5ForSequenceClassification,
    MT5ForTokenClassification,
    MT5ForQuestionAnswering,
  ],
})
