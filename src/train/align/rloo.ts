// REINFORCE with a leave-one-out baseline (Ahmadian et al., 2024): the reward of an answer is compared with the mean
// reward of the other answers to its prompt. The divergence from the model at the start is part of the reward.
import { leaveOneOutAdvantages } from './advantages.ts'
import { rlooLoss } from './policy-losses.ts'
import { policyTask } from './policy-task.ts'

export const rloo = policyTask({
  name: 'rloo',
  about: 'rewards of sampled answers, each compared with the mean of the others',
  beta: 0.05,
  aboutBeta:
    'weight of the divergence from the model at the start, which is subtracted from rewards',
  options: {},
  advantages:
    ({ beta }) =>
    (rewards, divergences) =>
      leaveOneOutAdvantages(
        rewards.map((group, i) => group.map((r, j) => r - beta * (divergences?.[i][j] ?? 0))),
      ),
  loss: (scores, { epsilon }) => rlooLoss(scores, { epsilon }),
  meanOver: () => 'answers',
})
