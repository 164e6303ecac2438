import { checkTokens, checkWhole, HIDDEN, keepOnly, type LogitsProcessor } from './processor.ts'

/** The text does not end before `count` tokens are generated. */
export function minNewTokens(count: number, endTokens: readonly number[]): LogitsProcessor {
  checkWhole('minNewTokens', count, 0)
  checkTokens('minNewTokens', endTokens)
  return {
    process(scores, { tokens, promptLength }) {
      if (tokens.length - promptLength >= count) return
      for (const token of endTokens) scores[token] = HIDDEN
    },
  }
}

/** The `count`-th generated token is `endToken`. */
export function forceEnd(count: number, endToken: number): LogitsProcessor {
  checkWhole('forceEnd', count, 1)
  checkTokens('forceEnd', [endToken])
  return {
    process(scores, { tokens, promptLength }) {
      if (tokens.length - promptLength !== count - 1) return
      keepOnly(scores, [endToken])
      scores[endToken] = 0
    },
  }
}
