import { checkWhole, HIDDEN, type LogitsProcessor } from './processor.ts'

/** No sequence of n tokens occurs twice in the text, prompt included (Paulus et al., 2017). */
export function noRepeatNgrams(n: number): LogitsProcessor {
  checkWhole('noRepeatNgrams', n, 1)
  return {
    process(scores, { tokens }) {
      if (tokens.length < n - 1) return
      const end = n === 1 ? [] : tokens.slice(1 - n)
      for (const token of completions(tokens, end)) scores[token] = HIDDEN
    },
  }
}

/** The tokens that follow the places where `beginning` occurs in a text. */
export function* completions(
  tokens: readonly number[],
  beginning: readonly number[],
): Generator<number> {
  const length = beginning.length
  for (let start = 0; start + length < tokens.length; start++) {
    let same = 0
    while (same < length && tokens[start + same] === beginning[same]) same++
    if (same === length) yield tokens[start + length]
  }
}
