import { HeedError } from '../../util/errors.ts'
import type { LogitsProcessor } from './processor.ts'

/**
 * Makes tokens that are in the text already, prompt included, less likely: divides positive scores and
 * multiplies negative ones (Keskar et al., 2019). 1 is none, below 1 favours them.
 */
export function repetitionPenalty(penalty: number): LogitsProcessor {
  if (!(penalty > 0 && Number.isFinite(penalty)))
    throw new HeedError('invalid-option', `repetitionPenalty ${penalty}: it is above 0; 1 is none`)
  return {
    process(scores, { tokens }) {
      for (const token of new Set(tokens))
        if (token < scores.length) scores[token] *= scores[token] > 0 ? 1 / penalty : penalty
    },
  }
}

/** Takes `penalty` off a token's score for each time that it was written; negative favours it. */
export const frequencyPenalty = (penalty: number): LogitsProcessor =>
  counting('frequencyPenalty', penalty, (times) => times)

/** Takes `penalty` off the score of each token that was written, however often. */
export const presencePenalty = (penalty: number): LogitsProcessor =>
  counting('presencePenalty', penalty, () => 1)

function counting(
  name: string,
  penalty: number,
  weight: (times: number) => number,
): LogitsProcessor {
  if (!Number.isFinite(penalty))
    throw new HeedError('invalid-option', `${name} ${penalty}: it is a number; 0 is none`)
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
