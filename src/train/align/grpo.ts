// Group relative policy optimisation (Shao et al., 2024, "DeepSeekMath"): several answers to each prompt, judged by a
// reward, each compared with the others.
import { z } from 'zod'
import { groupAdvantages, SCALES } from './advantages.ts'
import { grpoLoss, grpoLosses } from './policy-losses.ts'
import { type PolicyOptions, policyTask } from './policy-task.ts'

interface Options extends PolicyOptions {
  loss: (typeof grpoLosses)[number]
  scaleRewards: (typeof SCALES)[number]
}

export const grpo = policyTask<Options>({
  name: 'grpo',
  about: 'rewards of sampled answers, each compared with others to its prompt',
  defaults: { beta: 0, answers: 8, iterations: 1 },
  fewestAnswers: 2,
  hasValues: false,
  aboutBeta: 'weight of the divergence from the model at the start',
  options: {
    loss: z
      .enum(grpoLosses)
      .default('dapo')
      .describe('average over tokens: dapo, grpo, bnpo or dr_grpo'),
    scaleRewards: z
      .enum(SCALES)
      .default('group')
      .describe('divide advantages by the deviation of rewards in the group or the batch, or none'),
  },
  goals:
    ({ scaleRewards }) =>
    ({ rewards }) => ({ advantages: groupAdvantages(rewards, scaleRewards).flat() }),
  loss: (
    { policy, old, reference, advantages, counted },
    { loss, epsilon, beta, maxNewTokens: maxTokens },
  ) =>
    grpoLoss({ policy, old, reference, advantages, counted }, { loss, epsilon, beta, maxTokens }),
  meanOver: ({ loss }) => (loss === 'dapo' ? 'tokens' : 'answers'),
})
