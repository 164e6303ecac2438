// mT5 (Xue et al., 2021): T5 v1.1 for 101 languages, whose output layer reads the states as they are.
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
  // Checkpoints decide about the output layer: transformers writes tie_word_embeddings: true for all of them.
  output: () => ({ tied: false, scaled: false }),
}
const heads = t5Heads(variant, 'MT5')

export class MT5ForConditionalGeneration extends heads.ForConditionalGeneration {}
export class MT5EncoderModel extends heads.EncoderModel {}
export class MT5ForSequenceClassification extends heads.ForSequenceClassification {}
export class MT5ForTokenClassification extends heads.ForTokenClassification {}
export class MT5ForQuestionAnswering extends heads.ForQuestionAnswering {}

export const mt5 = defineModel({
  ...t5Family(variant).both,
  ...t5Defaults,
  heads: [
    MT5ForConditionalGeneration,
    MT5EncoderModel,
    MT5ForSequenceClassification,
    MT5ForTokenClassification,
    MT5ForQuestionAnswering,
  ],
})
