// Advantages: how much better an answer is than the other answers to its prompt.

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
