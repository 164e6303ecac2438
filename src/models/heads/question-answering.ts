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

export interface Span {
  /** Logits (B, T) of the first token of the answer. */
  start: Tensor
  /** Logits (B, T) of its last token. */
  end: Tensor
}

/** Finds the answer to a question in a text. */
export interface QuestionAnswerer extends EncoderModel {
  forward(ids: Tensor, options?: EncoderOptions): Span
  /** The mean of the cross-entropies of both ends; `start` and `end` are (B) i32. */
  loss(ids: Tensor, answer: Span, options?: EncoderOptions): Tensor
}

export interface SpanLayer {
  qa_outputs: Linear
}

/** The head of a family that finds answers: a layer called `qa_outputs`, unless the family has others. */
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
