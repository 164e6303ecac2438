import { Dropout, type Linear } from '../../nn/index.ts'
import { headLinear } from '../heads/headed-model.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { textEncoder } from '../heads/text-model.ts'
import { tokenClassifier } from '../heads/token-classification.ts'
import type { ModelClass } from '../pretrained.ts'
import { type TextConfig, type TextFamily, type TextStack, widthOf } from './family.ts'

type HeadConfig = TextConfig & { classifier_dropout?: number | null }

/**
 * The other heads of Llama variants: token classification, question answering and the stack without a head.
 * @param name prefix of the class names in transformers
 */
export const llamaHeads = <C extends HeadConfig, S extends TextStack>(
  family: TextFamily<C, S, string>,
  name: string,
  answerPrefix = 'transformer', // field of the stack in transformers' question answering class
): ModelClass[] => [
  llamaTokenClassifier(family, `${name}ForTokenClassification`),
  questionAnswerer(family, {
    architectures: `${name}ForQuestionAnswering`,
    prefix: answerPrefix,
  }),
  textEncoder(family, `${name}Model`),
]

/** A token classification head with a layer named `score`. */
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
