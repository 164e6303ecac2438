import { F, type Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import type { TextConfig, TextFamily, TextStack } from '../shared/family.ts'
import { labelLoss } from '../shared/labels.ts'
import { type HeadClass, type HeadSpec, headClass } from './headed-model.ts'
import { checkMaskedOptions, type MaskedLMOptions, statesAt } from './masked-lm.ts'
import { type EncoderModel, type TextEncoder, TextModel } from './text-model.ts'

/** Logits of both objectives of BERT. */
export interface PretrainingLogits {
  /** Logits of tokens, (B, T, V) or (N, V), as for a masked language model. */
  tokens: Tensor
  /** Logits of next sentence prediction, (B, 2). */
  nextSentence: Tensor
}

/** Labels of both objectives of BERT. */
export interface PretrainingLabels {
  /** Token ids, i32 (B, T) or (N). -100 is ignored. */
  tokens: Tensor
  /** Classes i32 (B). 0: the second text follows the first; 1: it does not. */
  nextSentence: Tensor
}

/** A model with both objectives of BERT: masked language modelling and next sentence prediction. */
export interface Pretraining extends EncoderModel {
  /** Computes the logits of both objectives for ids i32 (B, T). */
  forward(ids: Tensor, options?: MaskedLMOptions): PretrainingLogits
  /** The sum of both cross-entropies. */
  loss(ids: Tensor, labels: PretrainingLabels, options?: MaskedLMOptions): Tensor
  /** Both cross-entropies: the mean over masked tokens, and the mean over texts. */
  lossTerms(ids: Tensor, labels: PretrainingLabels, options?: MaskedLMOptions): [Tensor, Tensor]
}

/**
 * Specification of a head with both objectives: `logits` predicts tokens, `nextSentence` whether the second text
 * follows.
 */
export interface PretrainingSpec<C extends object, S extends TextStack, L extends object>
  extends HeadSpec<C, S, L> {
  /** Computes the logits (B, 2) of the second objective from the hidden states of the stack. */
  readonly nextSentence: (layers: L, states: Tensor, model: { config: C; stack: S }) => Tensor
}

/** Creates the pretraining class of a family. */
export const pretraining = <
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object,
>(
  family: TextFamily<C, S, P>,
  spec: PretrainingSpec<C, S, L>,
): HeadClass<C, PretrainingModel<C, S, L> & Record<P, S & TextEncoder> & L> =>
  headClass(PretrainingModel<C, S, L>, 'pretraining', family, spec)

/** Base of the models with both objectives of all families. */
export class PretrainingModel<C extends TextConfig, S extends TextStack, L extends object>
  extends TextModel<C, S, L, PretrainingSpec<C, S, L>>
  implements Pretraining
{
  forward(ids: Tensor, given: MaskedLMOptions = {}): PretrainingLogits {
    checkMaskedOptions(this, given)
    const { logitsAt, ...options } = given
    const states = this.states(ids, options)
    return {
      tokens: this.headLogits(statesAt(states, logitsAt)),
      nextSentence: this.spec.nextSentence(this.layers, states, this.below),
    }
  }

  loss(ids: Tensor, labels: PretrainingLabels, options?: MaskedLMOptions): Tensor {
    const [masked, next] = this.lossTerms(ids, labels, options)
    return masked.add(next)
  }

  lossTerms(ids: Tensor, labels: PretrainingLabels, options?: MaskedLMOptions): [Tensor, Tensor] {
    checkArgument(this.constructor.name, 'labels', labels, 'object')
    const { tokens, nextSentence } = this.forward(ids, options)
    return [labelLoss(tokens, labels.tokens), F.crossEntropy(nextSentence, labels.nextSentence)]
  }
}
