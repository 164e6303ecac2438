// REINFORCE with a leave-one-out baseline (Ahmadian et al., 2024): the reward of an answer is compared with the mean
// reward of the other answers to its prompt. The divergence from the model at the start is part of the reward.
import { leaveOneOutAdvantages } from './advantages.ts'
import { rlooLoss } from './policy-losses.ts'
import { policyTask } from './policy-task.ts'

export const rloo = policyTask({
  name: 'rloo',
  about: 'rewards of sampled answers, each compared with the mean of the others',
  defaults: { beta: 0.05, answers: 8, iterations: 1 },
  fewestAnswers: 2,
  hasValues: false,
  aboutBeta:
    'weight of the divergence from the model at the start, which is subtracted from rewards',
  options: {},
  goals:
    ({ beta }) =>
    ({ rewards, answers }) => {
      const costs = answers.map(({ divergences }) => beta * divergences.reduce((a, b) => a + b, 0))
      const least = rewards.map((group, i) => group.map((r, j) => r - costs[i * group.length + j]))
      return { advantages: leaveOneOutAdvantages(least).flat() }
    },
  loss: ({ policy, old, advantages, counted }, { epsilon }) =>
    rlooLoss({ policy, old, advantages, counted }, { epsilon }),
  meanOver: () => 'answers',
})
