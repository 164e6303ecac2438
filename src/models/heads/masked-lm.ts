import type { Tensor } from '../../tensor/index.ts'
import { optionKinds } from '../../util/options.ts'
import type { TextConfig, TextFamily, TextStack } from '../shared/family.ts'
import { labelLoss } from '../shared/labels.ts'
import { type HeadClass, type HeadSpec, headClass } from './headed-model.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type TextEncoder,
  TextModel,
} from './text-model.ts'

export interface MaskedLMOptions extends EncoderOptions {
  /**
   * i32 (N): computes logits at these positions only, counted over all rows: row·T + column. Logits are then (N, V),
   * and labels (N). It saves most of the work where only some tokens are masked.
   */
  logitsAt?: Tensor
}

const MASKED = optionKinds<MaskedLMOptions>({
  attentionMask: 'tensor?',
  tokenTypeIds: 'tensor?',
  logitsAt: 'tensor?',
})

/** Refuses options of another kind, in calls without types. @throws HeedError */
export const checkMaskedOptions = (model: object, options: unknown): void =>
  MASKED.check(model.constructor.name, options)

/** Predicts the tokens that are masked (Devlin et al., 2019). */
export interface MaskedLM extends EncoderModel {
  /** ids (B, T) i32 -> logits (B, T, V). */
  forward(ids: Tensor, options?: MaskedLMOptions): Tensor
  /** Mean cross-entropy of labels (B, T); -100 is ignored. */
  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor
}

/** The head of a family that predicts masked tokens. */
export const maskedLM = <
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object,
>(
  family: TextFamily<C, S, P>,
  spec: HeadSpec<C, S, L>,
): HeadClass<C, MaskedLMModel<C, S, L> & Record<P, S & TextEncoder> & L> =>
  headClass(MaskedLMModel<C, S, L>, 'masked-lm', family, spec)

/** States (B, T, C) at the positions of `logitsAt`, (N, C); all of them without it. */
export function statesAt(states: Tensor, logitsAt?: Tensor): Tensor {
  return logitsAt ? states.reshape(-1, states.shape[2]).take(logitsAt) : states
}

export class MaskedLMModel<C extends TextConfig, S extends TextStack, L extends object>
  extends TextModel<C, S, L>
  implements MaskedLM
{
  forward(ids: Tensor, given: MaskedLMOptions = {}): Tensor {
    checkMaskedOptions(this, given)
    const { logitsAt, ...options } = given
    return this.headLogits(statesAt(this.states(ids, options), logitsAt))
  }

  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor {
    return labelLoss(this.forward(ids, options), labels)
  }
}
