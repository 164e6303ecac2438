// Proximal policy optimisation (Schulman et al., 2017; Ouyang et al., 2022, section 3.5): each token of a sampled answer is
// compared with the reward that a value head expects. The divergence from the model at the start is part of the reward.
import { z } from 'zod'
import { generalizedAdvantages, whitened } from './advantages.ts'
import type { Judged } from './judged.ts'
import { ppoLoss } from './policy-losses.ts'
import { type PolicyOptions, policyTask } from './policy-task.ts'

interface Options extends PolicyOptions {
  gamma: number
  lambda: number
  valueEpsilon: number
  valueWeight: number
}

export const ppo = policyTask<Options>({
  name: 'ppo',
  about: 'rewards of sampled answers, compared with those that a value head expects',
  defaults: { beta: 0.05, answers: 1, iterations: 4 },
  fewestAnswers: 1,
  hasValues: true,
  aboutBeta:
    'weight of the divergence from the model at the start, which is subtracted from the reward of each token',
  options: {
    gamma: z.number().min(0).max(1).default(1).describe('discount of later rewards'),
    lambda: z
      .number()
      .min(0)
      .max(1)
      .default(0.95)
      .describe('weight of later rewards against expected ones, in advantages'),
    valueEpsilon: z
      .number()
      .positive()
      .default(0.2)
      .describe('values are clipped to this distance from those of the sampled answers'),
    valueWeight: z.number().min(0).default(0.1).describe('weight of the loss of values'),
  },
  goals: (options) => (judged) => goalsOf(judged, options),
  loss: (
    { policy, old, advantages, counted, values, oldValues, returns },
    { epsilon, valueEpsilon, valueWeight },
  ) =>
    ppoLoss(
      { policy, old, advantages, counted, values, oldValues, returns },
      { epsilon, valueEpsilon, valueWeight },
    ),
  meanOver: () => 'tokens',
})

/** Advantages, scaled over all tokens, and the returns that values should predict. */
export function goalsOf(
  { rewards, answers }: Judged,
  { beta, gamma, lambda }: Pick<Options, 'beta' | 'gamma' | 'lambda'>,
): Record<'advantages' | 'returns', number[][]> {
  const scores = rewards.flat()
  const ofAnswers = answers.map(({ divergences, values }, i) => {
    const ofTokens = divergences.map((difference) => -beta * difference)
    ofTokens[ofTokens.length - 1] += scores[i]
    return generalizedAdvantages(ofTokens, values, { gamma, lambda })
  })
  const returns = ofAnswers.map((all, i) => all.map((x, t) => x + answers[i].values[t]))
  const scaled = whitened(ofAnswers.flat())
  let start = 0
  const advantages = ofAnswers.map(({ length }) => scaled.slice(start, (start += length)))
  return { advantages, returns }
}
