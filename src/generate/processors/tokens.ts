import { invalidOption } from '../../util/errors.ts'
import { checkTokens, HIDDEN, keepOnly, type LogitsProcessor } from './processor.ts'

/** These tokens are never generated. */
export function suppressTokens(
  banned: readonly number[],
  /** Only as the first generated token. */
  { atBegin = false }: { atBegin?: boolean } = {},
): LogitsProcessor {
  checkTokens('suppressTokens', banned)
  return {
    process(scores, { tokens, promptLength }) {
      if (atBegin && tokens.length > promptLength) return
      for (const token of banned) if (token < scores.length) scores[token] = HIDDEN
    },
  }
}

/** The first generated tokens are these, for example the token of a language. */
export function forceTokens(forced: readonly number[]): LogitsProcessor {
  checkTokens('forceTokens', forced)
  return {
    process(scores, { tokens, promptLength }) {
      const next = forced[tokens.length - promptLength]
      if (next === undefined) return
      keepOnly(scores, [next])
      scores[next] = 0
    },
  }
}

/** None of these token sequences is completed. */
export function badWords(words: readonly (readonly number[])[]): LogitsProcessor {
  for (const word of words) {
    checkTokens('badWords', word)
    if (word.length === 0)
      throw invalidOption({
        key: 'badWords',
        value: word,
        expected: 'lists of at least one token',
        remedy: 'Leave out empty words.',
      })
  }
  return {
    process(scores, { tokens }) {
      for (const word of words) {
        const head = tokens.length - (word.length - 1)
        const last = word[word.length - 1]
        if (head < 0 || last >= scores.length) continue
        if (word.every((token, i) => i === word.length - 1 || tokens[head + i] === token))
          scores[last] = HIDDEN
      }
    },
  }
}
