import type { Tensor } from '../../tensor/index.ts'
import { type TextConfig, type TextFamily, type TextStack, widthOf } from '../shared/family.ts'
import { labelLoss, labelsOf } from '../shared/labels.ts'
import {
  type ClassifierLayers,
  classifierLayers,
  classify,
  type HeadClass,
  type HeadSpec,
  headClass,
} from './headed-model.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type TextEncoder,
  TextModel,
} from './text-model.ts'

/** A token classifier, with one label per token. */
export interface TokenClassifier extends EncoderModel {
  /** Names of the K labels, in the order of the logits. */
  readonly labels: readonly string[]
  /** Computes logits: i32 (B, T) -> f32 (B, T, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
  /** Mean cross-entropy with labels (B, T). Labels of -100 are ignored. */
  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor
}

/** Creates the token classification class of a family. */
export const tokenClassifier = <
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object,
>(
  family: TextFamily<C, S, P>,
  spec: HeadSpec<C, S, L>,
): HeadClass<C, TokenClassifierModel<C, S, L> & Record<P, S & TextEncoder> & L> =>
  headClass(TokenClassifierModel<C, S, L>, 'token-classification', family, spec)

/**
 * Specification of a token classification head: dropout and a layer named `classifier`. @param rate dropout probability
 */
export const dropoutClassifier = <C extends TextConfig, S extends TextStack>(
  family: TextFamily<C, S, string>,
  architectures: string,
  rate: (config: C) => number,
): HeadSpec<C, S, ClassifierLayers> => ({
  architectures,
  layers: (config, { labelCount }) =>
    classifierLayers(widthOf(family, config), labelCount, config, rate(config)),
  logits: classify,
})

/** Base of the token classifiers of all families. */
export class TokenClassifierModel<C extends TextConfig, S extends TextStack, L extends object>
  extends TextModel<C, S, L>
  implements TokenClassifier
{
  readonly labels = labelsOf(this.config)

  forward(ids: Tensor, options?: EncoderOptions): Tensor {
    return this.headLogits(this.states(ids, options))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return labelLoss(this.forward(ids, options), labels)
  }
}
