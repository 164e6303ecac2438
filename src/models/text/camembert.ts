// CamemBERT (Martin et al., 2020): RoBERTa in French.

import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { dimension } from '../shared/config.ts'
import { robertaDefaults, robertaFamily, robertaHeads, robertaSchema } from '../shared/roberta.ts'

const schema = once(() => robertaSchema().extend({ vocab_size: dimension.default(30522) }))
const family = robertaFamily('camembert', 'CamemBERT', schema)
const heads = robertaHeads(family, 'Camembert')

/** CamemBERT without a head: hidden states of tokens. */
export class CamembertModel extends heads.Model {}
/** CamemBERT for masked language modelling. */
export class CamembertForMaskedLM extends heads.ForMaskedLM {}
/** CamemBERT for text classification. */
export class CamembertForSequenceClassification extends heads.ForSequenceClassification {}
/** CamemBERT for token classification. */
export class CamembertForTokenClassification extends heads.ForTokenClassification {}
/** CamemBERT for extractive question answering. */
export class CamembertForQuestionAnswering extends heads.ForQuestionAnswering {}

/** Definition of the CamemBERT family. */
export const camembert = defineModel({
  ...family,
  ...robertaDefaults,
  paper: 'Martin et al. (2020). CamemBERT: a Tasty French Language Model',
  heads: [
    CamembertModel,
    CamembertForMaskedLM,
    CamembertForSequenceClassification,
    CamembertForTokenClassification,
    CamembertForQuestionAnswering,
    heads.ForCausalLM,
  ],
})
