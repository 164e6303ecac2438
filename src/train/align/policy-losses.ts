// Losses of policy gradients on sampled answers. N answers, T tokens.
import { F, type Tensor } from '../../tensor/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { oneOf, optionKinds } from '../../util/options.ts'

/** The losses of `grpoLoss`. */
export const grpoLosses = ['dapo', 'grpo', 'bnpo', 'dr_grpo'] as const

/** Log-probabilities of sampled answers, f32 (N, T), with the advantages of the answers. */
export interface PolicyScores {
  /** By the model that is trained. */
  policy: Tensor
  /** By the model that sampled the answers. Default: the same as `policy`, so that the ratio is 1. */
  old?: Tensor
  /** By the model when training started; needed if `beta` is not 0. */
  reference?: Tensor
  /** f32 (N): how much better an answer is than others to its prompt. */
  advantages: Tensor
  /** f32 (N, T): 1 for the tokens of answers, 0 for those of prompts and for padding. */
  counted: Tensor
}

const SCORES = optionKinds<PolicyScores>({
  policy: 'tensor',
  old: 'tensor?',
  reference: 'tensor?',
  advantages: 'tensor',
  counted: 'tensor',
})

/** Options of `grpoLoss`. */
export interface GrpoLossOptions {
  /**
   * How the losses of tokens are averaged. `dapo`: over all tokens of a step (Yu et al., 2025). `grpo`: over the tokens of
   * each answer, then over answers (Shao et al., 2024). `bnpo`: over the tokens of each micro-batch. `dr_grpo`: their sum
   * divided by the number of answers and `maxTokens` (Liu et al., 2025). Default `dapo`.
   */
  loss?: (typeof grpoLosses)[number]
  /** The ratio of probabilities is clipped to 1 ± epsilon. Default 0.2. */
  epsilon?: number
  /** Weight of the divergence from the model at the start. Default 0. */
  beta?: number
  /** Maximum number of tokens in an answer, for `dr_grpo`. Default: T. */
  maxTokens?: number
}

const checkGrpo = argumentKinds('grpoLoss', {
  scores: SCORES,
  options: optionKinds<GrpoLossOptions>({
    loss: oneOf(grpoLosses),
    epsilon: 'number?',
    beta: 'number?',
    maxTokens: 'size?',
  }),
})

/**
 * Computes the loss of group relative policy optimisation (Shao et al., 2024, equation 3): the clipped ratio of each
 * token, weighted with the advantage of its answer, plus beta times the divergence from the reference (Schulman, 2020).
 * @returns a scalar
 */
export function grpoLoss(scores: PolicyScores, options: GrpoLossOptions = {}): Tensor {
  checkGrpo(scores, options)
  const { policy, old = policy.detach(), reference, advantages, counted } = scores
  const { loss = 'dapo', epsilon = 0.2, beta = 0, maxTokens = policy.shape[1] } = options
  const ratio = policy.sub(old).exp()
  let losses = clipped(ratio, advantages.unsqueeze(1), epsilon)
  // The ratio makes the gradient of the divergence unbiased (DeepSeek-V3.2, 2025, section 3.1).
  if (beta !== 0 && reference) losses = losses.add(klOf(policy, reference).mul(ratio).mul(beta))
  const sums = losses.mul(counted).sum(-1) // (N)
  if (loss === 'grpo') return sums.div(counted.sum(-1).clamp({ min: 1 })).mean()
  if (loss === 'dr_grpo') return sums.mean().div(maxTokens)
  return sums.sum().div(counted.sum().clamp({ min: 1 }))
}

/** Options of `rlooLoss`. */
export interface RlooLossOptions {
  /** The ratio of probabilities is clipped to 1 ± epsilon. Default 0.2. */
  epsilon?: number
}

const checkRloo = argumentKinds('rlooLoss', {
  scores: SCORES,
  options: optionKinds<RlooLossOptions>({ epsilon: 'number?' }),
})

/**
 * Computes the loss of REINFORCE with a leave-one-out baseline (Ahmadian et al., 2024, equation 8), with the clipped ratio
 * of whole answers. The divergence from the reference is part of the reward.
 * @returns a scalar, the mean over the answers
 */
export function rlooLoss(scores: PolicyScores, options: RlooLossOptions = {}): Tensor {
  checkRloo(scores, options)
  const { policy, old = policy.detach(), advantages, counted } = scores
  const ratio = policy.sub(old).mul(counted).sum(-1).exp() // (N)
  return clipped(ratio, advantages, options.epsilon ?? 0.2).mean()
}

/** Values of a value head and what they should be, f32 (N, T), with the advantages of tokens. */
export interface PpoScores extends Omit<PolicyScores, 'reference'> {
  /** f32 (N, T): how much better each token is than its value. */
  advantages: Tensor
  /** By the value head that is trained. */
  values: Tensor
  /** By the value head when the answers were sampled. Default: the same as `values`. */
  oldValues?: Tensor
  /** The advantages, before they were scaled, plus the values when the answers were sampled. */
  returns: Tensor
}

/** Options of `ppoLoss`. */
export interface PpoLossOptions {
  /** The ratio of probabilities is clipped to 1 ± epsilon. Default 0.2. */
  epsilon?: number
  /** Values are clipped to this distance from those when the answers were sampled. Default 0.2. */
  valueEpsilon?: number
  /** Weight of the loss of values. Default 0.1. */
  valueWeight?: number
}

const checkPpo = argumentKinds('ppoLoss', {
  scores: optionKinds<PpoScores>({
    policy: 'tensor',
    old: 'tensor?',
    advantages: 'tensor',
    counted: 'tensor',
    values: 'tensor',
    oldValues: 'tensor?',
    returns: 'tensor',
  }),
  options: optionKinds<PpoLossOptions>({
    epsilon: 'number?',
    valueEpsilon: 'number?',
    valueWeight: 'number?',
  }),
})

/**
 * Computes the loss of proximal policy optimisation (Schulman et al., 2017, equation 9): the clipped ratio of each token
 * with its advantage, plus half the squared error of clipped values. The divergence from the reference is part of the
 * rewards (Ziegler et al., 2019, equation 2).
 * @returns a scalar, the mean over the counted tokens
 */
export function ppoLoss(scores: PpoScores, options: PpoLossOptions = {}): Tensor {
  checkPpo(scores, options)
  const { policy, old = policy.detach(), advantages, counted, values, returns } = scores
  const { oldValues = values.detach() } = scores
  const { epsilon = 0.2, valueEpsilon = 0.2, valueWeight = 0.1 } = options
  const losses = clipped(policy.sub(old).exp(), advantages, epsilon)
  const near = oldValues.add(values.sub(oldValues).clamp({ min: -valueEpsilon, max: valueEpsilon }))
  const errors = values.sub(returns).square().maximum(near.sub(returns).square())
  return losses
    .add(errors.mul(0.5 * valueWeight))
    .mul(counted)
    .sum()
    .div(counted.sum().clamp({ min: 1 }))
}

/** The loss of a ratio of probabilities with an advantage (Schulman et al., 2017, equation 7). */
function clipped(ratio: Tensor, advantages: Tensor, epsilon: number): Tensor {
  const bounded = ratio.clamp({ min: 1 - epsilon, max: 1 + epsilon })
  return ratio.mul(advantages).minimum(bounded.mul(advantages)).neg()
}

/** The divergence of the policy from the reference by one sample, never negative (Schulman, 2020). */
function klOf(policy: Tensor, reference: Tensor): Tensor {
  const gap = reference.sub(policy)
  return gap.exp().sub(gap).sub(1)
}

/**
 * The log-probability of each counted token, and 0 for the others.
 * @param logits f32 (N, T, V)
 * @param targets i32 (N, T), -100 where a token is not counted
 * @returns f32 (N, T)
 */
export const tokenLogProbabilities = (
  logits: Tensor,
  targets: Tensor,
  temperature: number,
): Tensor =>
  F.crossEntropy(temperature === 1 ? logits : logits.div(temperature), targets, {
    reduction: 'none',
  }).neg()
