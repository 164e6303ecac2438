import type { Linear } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { optionKinds } from '../../util/options.ts'
import { lastToken, nextTokenLoss } from '../shared/decoder.ts'
import {
  embeddingsOf,
  type TextConfig,
  type TextFamily,
  type TextStack,
  widthOf,
} from '../shared/family.ts'
import { classificationLoss, labelsOf } from '../shared/labels.ts'
import { type HeadClass, type HeadSpec, headClass, headLinear } from './headed-model.ts'
import {
  type EncoderModel,
  type EncoderOptions,
  type TextEncoder,
  TextModel,
} from './text-model.ts'

/** A text classifier, with one or several labels per text. */
export interface SequenceClassifier extends EncoderModel {
  /** Names of the K labels, in the order of the logits. */
  readonly labels: readonly string[]
  /** Computes logits: i32 (B, T) -> f32 (B, K). */
  forward(ids: Tensor, options?: EncoderOptions): Tensor
  /**
   * Computes the loss: cross-entropy for labels i32 (B), binary cross-entropy for labels f32 (B, K), mean squared error
   * if there is only one label.
   */
  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor
  /** For decoders: the loss plus a weighted language modelling loss (Radford et al., 2018, section 3.2). */
  jointLoss?(ids: Tensor, labels: Tensor, options: JointLossOptions): Tensor
  /** The two terms of `jointLoss`: the mean over texts, and the weighted mean over next tokens. */
  jointLossTerms?(ids: Tensor, labels: Tensor, options: JointLossOptions): [Tensor, Tensor]
}

/** Options of `jointLoss`. */
export interface JointLossOptions extends EncoderOptions {
  /** Weight of the language modelling loss, λ in the paper, which uses 0.5. */
  lmWeight: number
}

const JOINT = optionKinds<JointLossOptions>({
  lmWeight: 'number',
  attentionMask: 'tensor?',
  tokenTypeIds: 'tensor?',
})

/** Specification of a text classification head. */
export interface SequenceClassifierSpec<C extends object, S extends TextStack, L extends object>
  extends HeadSpec<C, S, L> {
  /** Selects hidden states (B, C) by the ids (B, T) and the mask. Default: `logits` receives all states (B, T, C). */
  readonly pool?: (states: Tensor, ids: Tensor, config: C, attentionMask?: Tensor) => Tensor
}

/** Creates the text classification class of an encoder family. */
export const sequenceClassifier = <
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object,
>(
  family: TextFamily<C, S, P>,
  spec: SequenceClassifierSpec<C, S, L>,
): HeadClass<C, SequenceClassifierModel<C, S, L> & Record<P, S & TextEncoder> & L> =>
  headClass(SequenceClassifierModel<C, S, L>, 'sequence-classification', family, spec)

/** Base of the text classifiers of all encoder families. */
export class SequenceClassifierModel<C extends TextConfig, S extends TextStack, L extends object>
  extends TextModel<C, S, L, SequenceClassifierSpec<C, S, L>>
  implements SequenceClassifier
{
  readonly labels = labelsOf(this.config)

  forward(ids: Tensor, options: EncoderOptions = {}): Tensor {
    const { states, ids: all, attentionMask } = this.wholeText(ids, options)
    const { pool } = this.spec
    return this.headLogits(pool ? pool(states, all, this.config, attentionMask) : states)
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

/** The classification layer of a decoder. */
export interface ScoreLayer {
  /** Hidden states to logits of the labels, C to K features. */
  score: Linear
}

/** Creates the text classification class of a decoder family. It classifies the hidden state of the last token. */
export const lastTokenClassifier = <C extends TextConfig, S extends TextStack, P extends string>(
  family: TextFamily<C, S, P>,
  architectures: string | readonly string[],
): HeadClass<C, LastTokenClassifier<C, S> & Record<P, S & TextEncoder> & ScoreLayer> =>
  headClass(LastTokenClassifier<C, S>, 'sequence-classification', family, {
    architectures,
    layers: (config, { labelCount }) => ({
      score: headLinear(widthOf(family, config), labelCount, config, false),
    }),
    logits: ({ score }, states) => score.forward(states),
  })

/** Base of the text classifiers of all decoder families. */
export class LastTokenClassifier<C extends TextConfig, S extends TextStack>
  extends TextModel<C, S, ScoreLayer>
  implements SequenceClassifier
{
  readonly labels = labelsOf(this.config)

  forward(ids: Tensor, options: EncoderOptions = {}): Tensor {
    return this.logits(this.states(ids, options), ids, options)
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }

  jointLoss(ids: Tensor, labels: Tensor, options: JointLossOptions): Tensor {
    const [label, nextToken] = this.jointLossTerms(ids, labels, options)
    return label.add(nextToken)
  }

  jointLossTerms(ids: Tensor, labels: Tensor, given: JointLossOptions): [Tensor, Tensor] {
    JOINT.check(this.constructor.name, given)
    const { lmWeight, ...options } = given
    const states = this.states(ids, options)
    const label = classificationLoss(this.logits(states, ids, options), labels, this.config)
    const { weight } = embeddingsOf(this.family, this.stack)
    return [label, nextTokenLoss(states, ids, weight, options.attentionMask).mul(lmWeight)]
  }

  private logits(states: Tensor, ids: Tensor, { attentionMask }: EncoderOptions): Tensor {
    const padTokenId = this.config.pad_token_id
    return this.headLogits(lastToken(states, ids, { attentionMask, padTokenId }))
  }
}
