import { F, type Tensor } from '../../tensor/index.ts'
import type { TextConfig, TextFamily, TextStack } from '../shared/family.ts'
import { type HeadClass, type HeadSpec, headClass } from './headed-model.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type TextEncoder,
  TextModel,
} from './text-model.ts'

/** A model that predicts whether the second of two texts follows the first (Devlin et al., 2019). */
export interface NextSentencePredictor extends EncoderModel {
  /** Computes logits: i32 (B, T) -> f32 (B, 2). Class 0: the second text follows; 1: it does not. */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
  /** Mean cross-entropy with labels i32 (B). */
  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor
}

/** Creates the next sentence prediction class of a family. */
export const nextSentencePredictor = <
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object,
>(
  family: TextFamily<C, S, P>,
  spec: HeadSpec<C, S, L>,
): HeadClass<C, NextSentenceModel<C, S, L> & Record<P, S & TextEncoder> & L> =>
  headClass(NextSentenceModel<C, S, L>, 'next-sentence-prediction', family, spec)

/** Base of the next sentence predictors of all families. */
export class NextSentenceModel<C extends TextConfig, S extends TextStack, L extends object>
  extends TextModel<C, S, L>
  implements NextSentencePredictor
{
  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.headLogits(this.states(ids, options))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return F.crossEntropy(this.forward(ids, options), labels)
  }
}
