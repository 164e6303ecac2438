import { HeedError } from '../../util/errors.ts'
import { checkTokens, HIDDEN, keepOnly, type LogitsProcessor } from './processor.ts'

/** These tokens never come. */
export function suppressTokens(
  banned: readonly number[],
  /** Only as the first token that is written. */
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

/** The first tokens that are written are these: a language, for one. */
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

/** None of these runs of tokens is completed. */
export function badWords(words: readonly (readonly number[])[]): LogitsProcessor {
  for (const word of words) {
    checkTokens('badWords', word)
    if (word.length === 0) throw new HeedError('invalid-option', 'badWords: a word without tokens')
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
