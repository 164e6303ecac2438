import type { Linear } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { type TextConfig, type TextFamily, type TextStack, widthOf } from '../shared/family.ts'
import { spanLoss, spanOf } from '../shared/labels.ts'
import { type HeadClass, type HeadSpec, headClass, headLinear } from './headed-model.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type TextEncoder,
  TextModel,
} from './text-model.ts'

/** Start and end of answers: logits or token positions. */
export interface Span {
  /** Logits (B, T) of the first token of the answer, or its position, i32 (B). */
  start: Tensor
  /** Logits (B, T) of the last token, or its position, i32 (B). */
  end: Tensor
}

/** A model for extractive question answering, which finds the answer to a question in a text. */
export interface QuestionAnswerer extends EncoderModel {
  /** Computes the logits of start and end for ids i32 (B, T). */
  forward(ids: Tensor, options?: EncoderOptions): Span
  /** Mean of the cross-entropies of start and end. `start` and `end` of the answer are i32 (B). */
  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor
}

/** The layer that scores where an answer starts and ends. */
export interface SpanLayer {
  /** Hidden states to scores of start and end, C to 2 features. */
  qa_outputs: Linear
}

/** Creates the question answering class of a family. Default: a layer named `qa_outputs`. */
export const questionAnswerer = <
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object = SpanLayer,
>(
  family: TextFamily<C, S, P>,
  spec: Partial<HeadSpec<C, S, L>> & Pick<HeadSpec<C, S, L>, 'architectures'>,
): HeadClass<C, QuestionAnswererModel<C, S, L> & Record<P, S & TextEncoder> & L> =>
  headClass(QuestionAnswererModel<C, S, L>, 'question-answering', family, {
    ...(spanLayer(family) as object as Pick<HeadSpec<C, S, L>, 'layers' | 'logits'>),
    ...spec,
  })

const spanLayer = <C extends TextConfig, S extends TextStack>(
  family: TextFamily<C, S, string>,
): Pick<HeadSpec<C, S, SpanLayer>, 'layers' | 'logits'> => ({
  layers: (config) => ({ qa_outputs: headLinear(widthOf(family, config), 2, config) }),
  logits: ({ qa_outputs }, states) => qa_outputs.forward(states),
})

/** Base of the question answering models of all families. */
export class QuestionAnswererModel<C extends TextConfig, S extends TextStack, L extends object>
  extends TextModel<C, S, L>
  implements QuestionAnswerer
{
  forward(ids: Tensor, options?: EncoderOptions): Span {
    return spanOf(this.headLogits(this.states(ids, options))) // (B, T, 2)
  }

  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor {
    return spanLoss(this.forward(ids, options), answer)
  }
}
