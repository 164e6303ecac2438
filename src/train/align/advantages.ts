// Advantages: how much better an answer is than the other answers to its prompt, or a token than its value.
import { argumentKinds } from '../../util/argument-kinds.ts'
import { wrongArgument } from '../../util/check-argument.ts'
import { optionKinds } from '../../util/options.ts'

/** How advantages are scaled: by the deviation of the rewards of a group or of the batch, or not at all. */
export const SCALES = ['group', 'batch', 'none'] as const

/**
 * Subtracts the mean of each group, and divides by a standard deviation (Shao et al., 2024; `none`: Liu et al., 2025).
 * Groups of equal rewards get exactly 0.
 */
export function groupAdvantages(
  groups: readonly (readonly number[])[],
  scale: (typeof SCALES)[number] = 'group',
): number[][] {
  const ofBatch = deviation(groups.flat())
  return groups.map((rewards) => {
    if (isEqual(rewards)) return rewards.map(() => 0)
    const center = mean(rewards)
    const divisor = { group: deviation(rewards) + 1e-4, batch: ofBatch + 1e-4, none: 1 }[scale]
    return rewards.map((reward) => (reward - center) / divisor)
  })
}

/** Subtracts the mean of the other rewards of the group (Ahmadian et al., 2024, section 2.3). */
export function leaveOneOutAdvantages(groups: readonly (readonly number[])[]): number[][] {
  return groups.map((rewards) => {
    if (isEqual(rewards)) return rewards.map(() => 0)
    const sum = rewards.reduce((a, b) => a + b, 0)
    return rewards.map((reward) => reward - (sum - reward) / (rewards.length - 1))
  })
}

/** Options of `generalizedAdvantages`. */
export interface AdvantageOptions {
  /** Discount of later rewards, from 0 to 1. Default 1. */
  gamma?: number
  /** Weight of longer sums of rewards against earlier values, from 0 to 1. Default 0.95. */
  lambda?: number
}

const checkGae = argumentKinds('generalizedAdvantages', {
  rewards: 'numbers',
  values: 'numbers',
  options: optionKinds<AdvantageOptions>({ gamma: 'number?', lambda: 'number?' }),
})

/**
 * Computes generalised advantages (Schulman et al., 2016, equation 16) of the steps of one episode, such as the tokens of
 * an answer. After the last step, the value is 0.
 * @param rewards reward of each step
 * @param values value before each step, as many as rewards
 * @returns the advantage of each step; with its value added, it is the return that a value model learns
 * @throws HeedError for another number of values
 */
export function generalizedAdvantages(
  rewards: readonly number[],
  values: readonly number[],
  options: AdvantageOptions = {},
): number[] {
  checkGae(rewards, values, options)
  if (values.length !== rewards.length)
    throw wrongArgument('generalizedAdvantages', 'values', values, `${rewards.length} numbers`)
  const { gamma = 1, lambda = 0.95 } = options
  const advantages = new Array<number>(rewards.length).fill(0)
  let [later, next] = [0, 0]
  for (let t = rewards.length - 1; t >= 0; t--) {
    later = rewards[t] + gamma * next - values[t] + gamma * lambda * later
    next = values[t]
    advantages[t] = later
  }
  return advantages
}

/** Scales values to mean 0 and standard deviation 1; values without variance become 0. */
export function whitened(values: readonly number[]): number[] {
  const center = mean(values)
  const scale = Math.sqrt(deviation(values) ** 2 + 1e-8)
  return values.map((x) => (x - center) / scale)
}

/** Whether a group has no variance, so that it teaches nothing. */
export const isEqual = (rewards: readonly number[]): boolean =>
  rewards.every((reward) => reward === rewards[0])

export const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

/** The standard deviation, with Bessel's correction; 0 for fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const center = mean(values)
  return Math.sqrt(values.reduce((sum, x) => sum + (x - center) ** 2, 0) / (values.length - 1))
}
