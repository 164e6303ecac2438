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

/** Options of `MaskedLM.forward`. */
export interface MaskedLMOptions extends EncoderOptions {
  /**
   * i32 (N): positions at which to compute logits, in the flattened batch (row·T + column). Logits are then (N, V), and
   * labels (N). This saves most of the work if only some tokens are masked.
   */
  logitsAt?: Tensor
}

const MASKED = optionKinds<MaskedLMOptions>({
  attentionMask: 'tensor?',
  tokenTypeIds: 'tensor?',
  logitsAt: 'tensor?',
})

/** Checks options in calls from plain JavaScript. @throws HeedError */
export const checkMaskedOptions = (model: object, options: unknown): void =>
  MASKED.check(model.constructor.name, options)

/** A masked language model, which predicts masked tokens (Devlin et al., 2019). */
export interface MaskedLM extends EncoderModel {
  /** Computes logits: i32 (B, T) -> f32 (B, T, V). */
  forward(ids: Tensor, options?: MaskedLMOptions): Tensor
  /** Mean cross-entropy with labels (B, T). Labels of -100 are ignored. */
  loss(ids: Tensor, labels: Tensor, options?: MaskedLMOptions): Tensor
}

/** Creates the masked language model class of a family. */
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

/** Selects hidden states (B, T, C) at the positions `logitsAt`: (N, C). Without `logitsAt`, returns them unchanged. */
export function statesAt(states: Tensor, logitsAt?: Tensor): Tensor {
  return logitsAt ? states.reshape(-1, states.shape[2]).take(logitsAt) : states
}

/** Base of the masked language models of all families. */
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
