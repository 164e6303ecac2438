import { SplitPreTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { boundedPattern } from '../patterns/bounded-regexp.ts'
import { refuse } from '../schema-error.ts'

// Schemas of settings that several steps share. A missing setting or null means the default.

export const noSettings = z.object({})

/** Two schemas are shared by all flags, because module load time matters and there are dozens. */
const [on, off] = [true, false].map((byDefault) =>
  z
    .boolean()
    .nullish()
    .transform((value) => value ?? byDefault),
)

export function flag(byDefault: boolean): typeof on {
  return byDefault ? on : off
}

export function text(byDefault: string) {
  return z
    .string()
    .nullish()
    .transform((value) => value ?? byDefault)
}

/** Larger than any published vocabulary (o200k: 2^17.6). */
export const MAX_ID = 2 ** 24

export const tokenId = z
  .int()
  .min(0)
  .max(MAX_ID - 1)

/**
 * Schema of a pattern, `{ Regex }` or `{ String }`. Its output is a JavaScript expression. Patterns have the syntax of
 * Oniguruma. Patterns that cannot be matched in linear time are rejected.
 */
export const tokenizerPattern = z.unknown().transform((pattern, context): RegExp => {
  const { Regex, String: literal } = isJsonObject(pattern) ? pattern : {}
  if (typeof literal === 'string') return compile({ String: literal })
  if (typeof Regex !== 'string')
    return refuse(context, pattern, 'an object with `Regex` or `String`')
  if (Regex.length > MAX_LENGTH)
    return refuse(context, Regex, `a pattern of at most ${MAX_LENGTH} characters`)
  try {
    const pattern = boundedPattern(compile({ Regex }))
    return (
      pattern ?? refuse(context, Regex, 'a pattern without back-references and long repetitions')
    )
  } catch (cause) {
    return refuse(context, Regex, 'a valid regular expression', { cause })
  }
})

const MAX_LENGTH = 20_000

/** The library translates Oniguruma's syntax. */
export function compile(pattern: { Regex: string } | { String: string }): RegExp {
  const { pattern: compiled } = new SplitPreTokenizer({
    type: 'Split',
    pattern,
    behavior: 'Removed',
    invert: true,
  })
  if (compiled) return compiled
  throw new Error('The pattern cannot be translated.')
}
