/**
 * Rewards of answers, for `heed align` with rollouts.
 * @module
 */
export { type ExactMatchOptions, exactMatch, type NumberMatchOptions, numberMatch } from './expected.ts' // biome-ignore format: one line
export { jsonSchemaMatch, type LengthRewardOptions, lengthReward, patternMatch } from './form.ts'
export { parseReward, rewardNames } from './named.ts'
export type { Reward } from './reward.ts'
