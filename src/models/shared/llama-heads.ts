import { Dropout, type Linear } from '../../nn/index.ts'
import { headLinear } from '../heads/headed-model.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { textEncoder } from '../heads/text-model.ts'
import { tokenClassifier } from '../heads/token-classification.ts'
import type { ModelClass } from '../pretrained.ts'
import { type TextConfig, type TextFamily, type TextStack, widthOf } from './family.ts'

type HeadConfig = TextConfig & { classifier_dropout?: number | null }

/**
 * The further heads of Llama and its variants, by the beginning of their class names in transformers: token
 * classification, question answering and the stack alone.
 */
export const llamaHeads = <C extends HeadConfig, S extends TextStack>(
  family: TextFamily<C, S, string>,
  name: string,
  answerPrefix = 'transformer', // as transformers calls the stack in the class that answers questions
): ModelClass[] => [
  llamaTokenClassifier(family, `${name}ForTokenClassification`),
  questionAnswerer(family, {
    architectures: `${name}ForQuestionAnswering`,
    prefix: answerPrefix,
  }),
  textEncoder(family, `${name}Model`),
]

/** Its layer is called `score`. */
export const llamaTokenClassifier = <C extends HeadConfig, S extends TextStack>(
  family: TextFamily<C, S, string>,
  architectures: string,
): ModelClass =>
  tokenClassifier<C, S, string, { dropout: Dropout; score: Linear }>(family, {
    architectures,
    layers: (config, { labelCount }) => ({
      dropout: new Dropout(config.classifier_dropout ?? 0.1),
      score: headLinear(widthOf(family, config), labelCount, config),
    }),
    logits: ({ dropout, score }, states) => score.forward(dropout.forward(states)),
  })
