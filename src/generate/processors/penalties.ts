import { invalidOption } from '../../util/errors.ts'
import type { LogitsProcessor } from './processor.ts'

/**
 * Makes tokens of the text, including the prompt, less likely: divides positive scores and multiplies negative scores by
 * `penalty` (Keskar et al., 2019). 1 has no effect; values below 1 favour repetition.
 */
export function repetitionPenalty(penalty: number): LogitsProcessor {
  checkFactor('repetitionPenalty', penalty)
  return { process: (scores, { tokens }) => scale(scores, tokens, penalty) }
}

export function checkFactor(key: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw invalidOption({ key, value, expected: 'above 0', try: { [key]: [1, 1.1] } })
}

/** Divides positive scores of these tokens by `penalty` and multiplies negative scores, once per token. */
export function scale(scores: Float32Array, tokens: readonly number[], penalty: number): void {
  for (const token of new Set(tokens))
    if (token < scores.length)
      scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty
}

/** Subtracts `penalty` from the score of a token for each time it was generated; negative values favour repetition. */
export const frequencyPenalty = (penalty: number): LogitsProcessor =>
  counting('frequencyPenalty', penalty, (times) => times)

/** Subtracts `penalty` once from the score of each token that was generated. */
export const presencePenalty = (penalty: number): LogitsProcessor =>
  counting('presencePenalty', penalty, () => 1)

function counting(
  name: string,
  penalty: number,
  weight: (times: number) => number,
): LogitsProcessor {
  if (!Number.isFinite(penalty))
    throw invalidOption({
      key: name,
      value: penalty,
      expected: 'a finite number',
      try: { [name]: [0, 0.5] },
    })
  return {
    process(scores, { tokens, promptLength }) {
      const times = new Map<number, number>()
      for (let i = promptLength; i < tokens.length; i++)
        times.set(tokens[i], (times.get(tokens[i]) ?? 0) + 1)
      for (const [token, count] of times)
        if (token < scores.length) scores[token] -= penalty * weight(count)
    },
  }
}
