// Rewards for the form of answers.
import { z } from 'zod'
import { Matcher, NOWHERE } from '../generate/constrained/matcher.ts'
import { regexFragment } from '../generate/constrained/regex.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import type { Reward } from './reward.ts'

const checkPattern = argumentKinds('patternMatch', { pattern: 'text' })

/**
 * Returns a reward of 1 for answers that match a regular expression as a whole, and 0 for others. The time is linear in
 * the length of the answer. `.` does not match line ends. Back-references and look-around are not supported.
 * @throws HeedError for unsupported syntax
 */
export function patternMatch(pattern: string): Reward {
  checkPattern(pattern)
  const matcher = new Matcher(regexFragment(pattern))
  return (_prompt, answer) => {
    let state = matcher.start
    for (const byte of Buffer.from(answer)) {
      state = matcher.next(state, byte)
      if (state === NOWHERE) return 0
    }
    return Number(matcher.accepts(state))
  }
}

const checkSchema = argumentKinds('jsonSchemaMatch', { schema: 'record' })

/**
 * Returns a reward of 1 for answers that are JSON of a JSON schema, and 0 for others.
 * @throws HeedError for a schema that is invalid or has unsupported keywords
 */
export function jsonSchemaMatch(schema: object): Reward {
  checkSchema(schema)
  const parsed = schemaOf(schema)
  return (_prompt, answer) => {
    try {
      return Number(parsed.safeParse(JSON.parse(answer)).success)
    } catch {
      return 0 // not JSON
    }
  }
}

function schemaOf(schema: object): z.ZodType {
  try {
    return z.fromJSONSchema({ ...schema })
  } catch (cause) {
    throw new HeedError('invalid-option', '`schema` must be a JSON schema of supported keywords', {
      key: 'schema',
      value: schema,
      cause,
      remedy: cause instanceof Error ? cause.message : undefined,
    })
  }
}

/** Options of `lengthReward`. */
export interface LengthRewardOptions {
  /** Longest answer without a penalty, in characters. */
  max: number
  /** The reward is -1 from this number of characters above `max`. Default: `max`. */
  over?: number
}

const checkLength = argumentKinds('lengthReward', {
  options: optionKinds<LengthRewardOptions>({ max: 'number', over: 'number?' }),
})

/** Returns a reward of 0 up to `max` characters, which falls linearly to -1 (Yu et al., 2025, "DAPO", section 3.4). */
export function lengthReward(options: LengthRewardOptions): Reward {
  checkLength(options)
  const { max, over = max } = options
  for (const [key, value] of Object.entries({ max, over }))
    if (!(value > 0)) throw invalidOption({ key, value, expected: 'above 0' })
  return (_prompt, answer) => -Math.min(1, Math.max(0, Array.from(answer).length - max) / over)
}
