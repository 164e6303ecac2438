// CamemBERT (Martin et al., 2020): RoBERTa in French.

import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { dimension } from '../shared/config.ts'
import { robertaDefaults, robertaFamily, robertaHeads, robertaSchema } from '../shared/roberta.ts'

const schema = once(() => robertaSchema().extend({ vocab_size: dimension.default(30522) }))
const family = robertaFamily('camembert', 'CamemBERT', schema)
const heads = robertaHeads(family, 'Camembert')

export class CamembertModel extends heads.Model {}
export class CamembertForMaskedLM extends heads.ForMaskedLM {}
export class CamembertForSequenceClassification extends heads.ForSequenceClassification {}
export class CamembertForTokenClassification extends heads.ForTokenClassification {}
export class CamembertForQuestionAnswering extends heads.ForQuestionAnswering {}

export const camembert = defineModel({
  ...family,
  ...robertaDefaults,
  heads: [
    CamembertModel,
    CamembertForMaskedLM,
    CamembertForSequenceClassification,
    CamembertForTokenClassification,
    CamembertForQuestionAnswering,
    heads.ForCausalLM,
  ],
})
