// RoBERTa (Liu et al., 2019). The stack and the heads are in shared/roberta.ts.
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

/** RoBERTa without a head: hidden states of tokens. */
export class RobertaModel extends heads.Model {}
/** RoBERTa for masked language modelling. */
export class RobertaForMaskedLM extends heads.ForMaskedLM {}
/** RoBERTa for text classification. */
export class RobertaForSequenceClassification extends heads.ForSequenceClassification {}
/** RoBERTa for token classification. */
export class RobertaForTokenClassification extends heads.ForTokenClassification {}
/** RoBERTa for extractive question answering. */
export class RobertaForQuestionAnswering extends heads.ForQuestionAnswering {}

/** Definition of the RoBERTa family. */
export const roberta = defineModel({
  ...family,
  ...robertaDefaults,
  paper: 'Liu et al. (2019). RoBERTa: A Robustly Optimized BERT Pretraining Approach',
  heads: [
    RobertaModel,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaForQuestionAnswering,
    heads.ForCausalLM,
  ],
})
