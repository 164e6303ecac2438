// Losses of preference learning, on log-probabilities of answers and on rewards.
import type { Tensor } from '../../tensor/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { invalidOption } from '../../util/errors.ts'
import { oneOf, optionKinds } from '../../util/options.ts'

/** The losses of `dpoLoss`. */
export const dpoLosses = ['sigmoid', 'hinge', 'ipo'] as const

/** Log-probabilities of pairs of answers, (B, 2): chosen, rejected. */
export interface PairScores {
  /** Of the model that is trained. */
  policy: Tensor
  /** Of the model when training started. */
  reference: Tensor
  /** Number of tokens of the answers, f32 (B, 2). Only the loss `ipo` needs it. */
  lengths?: Tensor
}

/** Options of `dpoLoss`. */
export interface DpoLossOptions {
  /** How strongly the policy is kept near the reference. Default 0.1. */
  beta?: number
  /** `sigmoid` (Rafailov et al., 2023), `hinge` (Zhao et al., 2023) or `ipo` (Azar et al., 2024). Default `sigmoid`. */
  loss?: (typeof dpoLosses)[number]
  /** Probability that a preference is wrong (Mitchell, 2023, "cDPO"), for `sigmoid`. Default 0. */
  labelSmoothing?: number
}

const checkDpo = argumentKinds('dpoLoss', {
  scores: optionKinds<PairScores>({ policy: 'tensor', reference: 'tensor', lengths: 'tensor?' }),
  options: optionKinds<DpoLossOptions>({
    beta: 'number?',
    loss: oneOf(dpoLosses),
    labelSmoothing: 'share?',
  }),
})

/**
 * Computes the loss of direct preference optimisation (Rafailov et al., 2023, equation 7) for pairs of answers. For `ipo`,
 * log-probabilities are means over tokens, as its authors recommend.
 * @returns a scalar, the mean over the pairs
 */
export function dpoLoss(scores: PairScores, options: DpoLossOptions = {}): Tensor {
  checkDpo(scores, options)
  const { policy, reference, lengths } = scores
  const { beta = 0.1, loss = 'sigmoid', labelSmoothing = 0 } = options
  if (labelSmoothing > 0 && loss !== 'sigmoid')
    throw invalidOption({
      key: 'labelSmoothing',
      value: labelSmoothing,
      expected: `0 for the loss ${loss}, which does not use it`,
      remedy: 'Omit it, or use the loss sigmoid.',
    })
  const gains = policy.sub(reference) // (B, 2)
  if (loss === 'ipo') {
    const means = lengths ? gains.div(lengths.clamp({ min: 1 })) : gains
    return difference(means).sub(1 / (2 * beta)).square().mean() // biome-ignore format: one line
  }
  const margin = difference(gains).mul(beta)
  if (loss === 'hinge') return margin.mul(-1).add(1).relu().mean()
  const right = margin.logSigmoid().mul(labelSmoothing - 1)
  return right.sub(margin.mul(-1).logSigmoid().mul(labelSmoothing)).mean()
}

/** chosen − rejected: (B, 2) -> (B). */
const difference = (pairs: Tensor): Tensor => pairs.select(1, 0).sub(pairs.select(1, 1))

/** Log-probabilities of single answers, (B). */
export interface AnswerScores {
  /** Of the model that is trained. */
  policy: Tensor
  /** Of the model when training started. */
  reference: Tensor
  /** f32: 1 for a desirable answer, 0 for an undesirable one. */
  desirable: Tensor
  /** The KL term, a scalar without gradient; see `ktoLoss`. */
  kl: Tensor
}

/** Options of `ktoLoss`. */
export interface KtoLossOptions {
  /** How strongly the policy is kept near the reference. Default 0.1. */
  beta?: number
  /** Weight of desirable answers. Default 1. */
  desirableWeight?: number
  /** Weight of undesirable answers. Default 1. */
  undesirableWeight?: number
}

const checkKto = argumentKinds('ktoLoss', {
  scores: optionKinds<AnswerScores>({
    policy: 'tensor',
    reference: 'tensor',
    desirable: 'tensor',
    kl: 'tensor',
  }),
  options: optionKinds<KtoLossOptions>({
    beta: 'number?',
    desirableWeight: 'number?',
    undesirableWeight: 'number?',
  }),
})

/**
 * Computes the loss of Kahneman-Tversky optimisation (Ethayarajh et al., 2024, equation 8). `kl` estimates the divergence
 * of the policy from the reference: the mean of their log-ratios on prompts with answers of other prompts, at least 0.
 * @returns a scalar, the mean over the answers
 */
export function ktoLoss(scores: AnswerScores, options: KtoLossOptions = {}): Tensor {
  checkKto(scores, options)
  const { policy, reference, desirable, kl } = scores
  const { beta = 0.1, desirableWeight = 1, undesirableWeight = 1 } = options
  const gain = policy.sub(reference).sub(kl) // (B)
  const sign = desirable.mul(2).sub(1) // 1 or -1
  const weight = desirable.mul(desirableWeight - undesirableWeight).add(undesirableWeight)
  const utility = gain.mul(sign).mul(beta).sigmoid()
  return weight.mul(utility.mul(-1).add(1)).mean()
}

/** Options of `rewardLoss`. */
export interface RewardLossOptions {
  /** f32 (B): by how much the chosen answer should be better (Touvron et al., 2023, section 3.2.2). */
  margin?: Tensor | null
  /** Weight of the squared sum of both rewards, which keeps rewards near 0 (Eisenstein et al., 2023). Default 0. */
  centering?: number
}

const checkReward = argumentKinds('rewardLoss', {
  rewards: 'tensor',
  options: optionKinds<RewardLossOptions>({ margin: 'tensor|null?', centering: 'number?' }),
})

/**
 * Computes the loss of a reward model (Ouyang et al., 2022, equation 1): −log σ(r₊ − r₋ − margin).
 * @param rewards f32 (B, 2): of the chosen and the rejected answer
 * @returns a scalar, the mean over the pairs
 */
export function rewardLoss(rewards: Tensor, options: RewardLossOptions = {}): Tensor {
  checkReward(rewards, options)
  const { margin, centering = 0 } = options
  const gap = difference(rewards)
  const loss = (margin ? gap.sub(margin) : gap).logSigmoid().mul(-1).mean()
  return centering === 0 ? loss : loss.add(rewards.sum(1).square().mean().mul(centering))
}
