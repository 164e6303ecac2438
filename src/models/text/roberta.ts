// RoBERTa (Liu et al., 2019). Its stack and heads are in shared/roberta.ts.
import { defineModel } from '../definition.ts'
import {
  type RobertaConfig,
  robertaDefaults,
  robertaFamily,
  robertaHeads,
} from '../shared/roberta.ts'

export type { RobertaConfig }

const family = robertaFamily('roberta', 'RoBERTa')
const heads = robertaHeads(family, 'Roberta')

export class RobertaModel extends heads.Model {}
export class RobertaForMaskedLM extends heads.ForMaskedLM {}
export class RobertaForSequenceClassification extends heads.ForSequenceClassification {}
export class RobertaForTokenClassification extends heads.ForTokenClassification {}
export class RobertaForQuestionAnswering extends heads.ForQuestionAnswering {}

export const roberta = defineModel({
  ...family,
  ...robertaDefaults,
  heads: [
    RobertaModel,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaForQuestionAnswering,
    heads.ForCausalLM,
  ],
})
