// Sampled answers with their rewards, and what the loss of a method compares them with. N answers, T tokens.
import type { Batch } from '../../data/index.ts'
import type { Rollout } from '../../generate/index.ts'
import { mean } from './advantages.ts'
import type { Prompt } from './prompts.ts'

/** A sampled answer to a prompt. */
export interface Sample extends Rollout {
  prompt: Prompt
}

/** Answers with their rewards. */
export interface Judged {
  /** Rewards by prompt. */
  rewards: readonly (readonly number[])[]
  /** The tokens of each answer. */
  answers: readonly TokenScores[]
}

/** Scores of the tokens of an answer. */
export interface TokenScores {
  /** Log-probabilities by the model minus those by the reference; 0 if the divergence does not count. */
  divergences: readonly number[]
  /** Values before the tokens; 0 without a value head. */
  values: readonly number[]
}

/** What the loss of a batch compares answers with, by name: a number for each answer, or one for each of its tokens. */
export type Goals = Readonly<Record<string, readonly number[] | readonly (readonly number[])[]>>

/** Log-probabilities by the model and the reference, and values, f32 (N, T). */
export interface Scores {
  policy: Float32Array
  start: Float32Array | null
  values: Float32Array | null
}

/** Where the tokens of an answer are in arrays (N, T). */
export interface Place {
  start: number
  count: number
}

export function tokenScores({ start, count }: Place, scores: Scores | null): TokenScores {
  const at = (array: Float32Array | null | undefined): number[] =>
    Array.from({ length: count }, (_, i) => array?.[start + i] ?? 0)
  const [policy, reference] = [at(scores?.policy), at(scores?.start)]
  return {
    divergences: scores?.start ? policy.map((score, i) => score - reference[i]) : policy.map(() => 0), // biome-ignore format: one line
    values: at(scores?.values),
  }
}

/** Arrays f32 (N), or (N, T) with the numbers at the tokens of answers. */
export function goalArrays(
  goals: Goals,
  places: readonly Place[],
  [rows, length]: readonly number[],
): Record<string, Batch[string]> {
  const arrays = Object.entries(goals).map(([name, goal]) => {
    const numbers = goal.flatMap((value) => (typeof value === 'number' ? [value] : []))
    if (numbers.length === rows) return [name, { data: Float32Array.from(numbers), shape: [rows] }]
    const data = new Float32Array(rows * length)
    goal.forEach((value, row) => {
      if (typeof value !== 'number') data.set(value, places[row].start)
    })
    return [name, { data, shape: [rows, length] }]
  })
  return Object.fromEntries(arrays)
}

/** The mean divergence of tokens from the reference, by an estimate that is never negative (Schulman, 2020). */
export function divergenceOf({ answers }: Judged): { kl: number } {
  const all = answers.flatMap(({ divergences }) => divergences)
  return { kl: mean(all.map((difference) => Math.expm1(-difference) + difference)) }
}

/** The mean distance between the log-probabilities of sampling and those of training. */
export const samplingGap = (
  samples: readonly Sample[],
  places: readonly Place[],
  policy: Float32Array,
): number =>
  mean(samples.flatMap(({ logProbabilities }, row) => logProbabilities.map((log, i) => Math.abs(log - policy[places[row].start + i])))) // biome-ignore format: one line

/** The mean squared distance of values from the returns that they should predict. */
export function valueError({ answers }: Judged, { returns = [] }: Goals): number {
  const errors = answers.flatMap(({ values }, row) => {
    const wanted = [returns[row]].flat()
    return values.map((value, i) => (value - wanted[i]) ** 2)
  })
  return mean(errors)
}
