// XLM-RoBERTa (Conneau et al., 2020): RoBERTa in a hundred languages.

import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { dimension } from '../shared/config.ts'
import { robertaDefaults, robertaFamily, robertaHeads, robertaSchema } from '../shared/roberta.ts'

const schema = once(() => robertaSchema().extend({ vocab_size: dimension.default(30522) }))
const family = robertaFamily('xlm-roberta', 'XLM-RoBERTa', schema)
const heads = robertaHeads(family, 'XLMRoberta')

/** XLM-RoBERTa without a head: hidden states of tokens. */
export class XLMRobertaModel extends heads.Model {}
/** XLM-RoBERTa for masked language modelling. */
export class XLMRobertaForMaskedLM extends heads.ForMaskedLM {}
/** XLM-RoBERTa for text classification. */
export class XLMRobertaForSequenceClassification extends heads.ForSequenceClassification {}
/** XLM-RoBERTa for token classification. */
export class XLMRobertaForTokenClassification extends heads.ForTokenClassification {}
/** XLM-RoBERTa for extractive question answering. */
export class XLMRobertaForQuestionAnswering extends heads.ForQuestionAnswering {}

/** Definition of the XLM-RoBERTa family. */
export const xlmRoberta = defineModel({
  ...family,
  ...robertaDefaults,
  paper: 'Conneau et al. (2020). Unsupervised Cross-lingual Representation Learning at Scale',
  heads: [
    XLMRobertaModel,
    XLMRobertaForMaskedLM,
    XLMRobertaForSequenceClassification,
    XLMRobertaForTokenClassification,
    XLMRobertaForQuestionAnswering,
    heads.ForCausalLM,
  ],
})
