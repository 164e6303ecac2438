import { invalidOption } from '../../util/errors.ts'
import {
  checkTokens,
  checkWhole,
  HIDDEN,
  keepOnly,
  type LogitsProcessor,
  type Text,
} from './processor.ts'

/** Hides the end tokens until `count` tokens are generated. */
export function minNewTokens(count: number, endTokens: readonly number[]): LogitsProcessor {
  checkWhole('minNewTokens', count, 0)
  return hideEndsWhile('minNewTokens', endTokens, (text) => newTokens(text) < count)
}

/** Hides the end tokens until the text has `count` tokens, including the prompt. */
export function minLength(count: number, endTokens: readonly number[]): LogitsProcessor {
  checkWhole('minLength', count, 0)
  return hideEndsWhile('minLength', endTokens, ({ tokens }) => tokens.length < count)
}

/** Forces the `count`-th generated token to be one of `endTokens`. */
export function forceEnd(count: number, endTokens: number | readonly number[]): LogitsProcessor {
  checkWhole('forceEnd', count, 1)
  return forceWhere('forceEnd', endTokens, (text) => newTokens(text) === count - 1)
}

/** Forces the second token of the text: the first token that a decoder generates, or the token after a one-token prompt. */
export const forceBegin = (token: number): LogitsProcessor =>
  forceWhere('forceBegin', token, ({ tokens }) => tokens.length === 1)

/**
 * Increases the scores of the end tokens after `start` generated tokens: by |score| · (factor^n − 1) for n further tokens.
 */
export function decayLength(
  start: number,
  factor: number,
  endTokens: readonly number[],
): LogitsProcessor {
  checkWhole('decayLength', start, 0)
  checkTokens('decayLength', endTokens)
  if (!Number.isFinite(factor))
    throw invalidOption({
      key: 'decayLength',
      value: factor,
      expected: 'a finite factor',
      try: { decayLength: [1.01] },
    })
  return {
    process(scores, text) {
      const past = newTokens(text) - start
      if (past <= 0) return
      for (const token of endTokens)
        if (Number.isFinite(scores[token]))
          scores[token] += Math.abs(scores[token]) * (factor ** past - 1)
    },
  }
}

/** Ends the text at the first token after this time, measured from the call of this function. */
export function maxTime(seconds: number): LogitsProcessor {
  if (!(typeof seconds === 'number' && seconds >= 0))
    throw invalidOption({
      key: 'maxTime',
      value: seconds,
      expected: 'a number of seconds from 0',
      try: { maxTime: [60] },
    })
  const end = performance.now() + 1000 * seconds
  return { process() {}, ends: () => performance.now() > end }
}

const newTokens = ({ tokens, promptLength }: Text): number => tokens.length - promptLength

function hideEndsWhile(
  name: string,
  endTokens: readonly number[],
  applies: (text: Text) => boolean,
): LogitsProcessor {
  checkTokens(name, endTokens)
  return {
    process(scores, text) {
      if (!applies(text)) return
      for (const token of endTokens) scores[token] = HIDDEN
    },
  }
}

function forceWhere(
  name: string,
  token: number | readonly number[],
  applies: (text: Text) => boolean,
): LogitsProcessor {
  const tokens = [token].flat()
  checkTokens(name, tokens)
  return {
    process(scores, text) {
      if (!applies(text)) return
      keepOnly(scores, tokens)
      for (const each of tokens) scores[each] = 0
    },
  }
}
