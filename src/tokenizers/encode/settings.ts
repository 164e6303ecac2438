import { SplitPreTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { refuse } from '../schema-error.ts'

// Schemas of settings that several steps have. Files that leave one out, or write null, mean the default.

export const noSettings = z.object({})

export function flag(byDefault: boolean) {
  return z
    .boolean()
    .nullish()
    .transform((value) => value ?? byDefault)
}

export function text(byDefault: string) {
  return z
    .string()
    .nullish()
    .transform((value) => value ?? byDefault)
}

/** Above every published vocabulary (o200k: 2^17.6). */
export const MAX_ID = 2 ** 24

export const tokenId = z
  .int()
  .min(0)
  .max(MAX_ID - 1)

/**
 * Schema of a pattern, `{ Regex }` or `{ String }`; its output is a JavaScript expression. Patterns are
 * written for Oniguruma. Those that can take exponential time are refused.
 */
export const tokenizerPattern = z.unknown().transform((pattern, context): RegExp => {
  const { Regex, String: literal } = isJsonObject(pattern) ? pattern : {}
  if (typeof literal === 'string') return compile({ String: literal })
  if (typeof Regex !== 'string')
    return refuse(context, pattern, 'an object with `Regex` or `String`')
  if (Regex.length > MAX_LENGTH)
    return refuse(context, Regex, `a pattern of at most ${MAX_LENGTH} characters`)
  if (repeatsRepeats(Regex))
    return refuse(
      context,
      Regex,
      'a pattern that cannot take exponential time (no repeat around a repeat or a choice)',
    )
  try {
    return compile({ Regex })
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

/**
 * Whether an unbounded repeat is around another one or around a choice, as in `(a+)+` or `(a|aa)*`. No
 * published tokenizer needs either, and what remains is polynomial in the length of the text.
 */
function repeatsRepeats(pattern: string): boolean {
  const open: boolean[] = [] // for each open group, whether a repeat or choice came before it
  let risky = false
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]
    if (char === '\\') i++
    else if (char === '[') i = endOfClass(pattern, i)
    else if (char === '|') risky = true
    else if (char === '(') {
      open.push(risky)
      risky = false
    } else if (char === ')') {
      const repeated = UNBOUNDED.test(pattern.slice(i + 1, i + 24))
      if (repeated && risky) return true
      risky = (open.pop() ?? false) || risky || repeated
    } else if (UNBOUNDED.test(pattern.slice(i, i + 24))) risky = true
  }
  return false
}

const UNBOUNDED = /^(?:[*+]|\{[0-9]*,\})/

/** The index of the bracket that closes a character class; classes nest in Oniguruma. */
function endOfClass(pattern: string, start: number): number {
  let depth = 0
  for (let i = start; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++
    else if (pattern[i] === '[') depth++
    else if (pattern[i] === ']' && --depth === 0) return i
  }
  return pattern.length
}
