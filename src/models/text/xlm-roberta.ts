// XLM-RoBERTa (Conneau et al., 2020): RoBERTa in a hundred languages.

import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { dimension } from '../shared/config.ts'
import { robertaDefaults, robertaFamily, robertaHeads, robertaSchema } from '../shared/roberta.ts'

const schema = once(() => robertaSchema().extend({ vocab_size: dimension.default(30522) }))
const family = robertaFamily('xlm-roberta', 'XLM-RoBERTa', schema)
const heads = robertaHeads(family, 'XLMRoberta')

export class XLMRobertaModel extends heads.Model {}
export class XLMRobertaForMaskedLM extends heads.ForMaskedLM {}
export class XLMRobertaForSequenceClassification extends heads.ForSequenceClassification {}
export class XLMRobertaForTokenClassification extends heads.ForTokenClassification {}
export class XLMRobertaForQuestionAnswering extends heads.ForQuestionAnswering {}

export const xlmRoberta = defineModel({
  ...family,
  ...robertaDefaults,
  heads: [
    XLMRobertaModel,
    XLMRobertaForMaskedLM,
    XLMRobertaForSequenceClassification,
    XLMRobertaForTokenClassification,
    XLMRobertaForQuestionAnswering,
    heads.ForCausalLM,
  ],
})
