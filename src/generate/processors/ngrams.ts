import { checkWhole, HIDDEN, type LogitsProcessor } from './processor.ts'

/** Prevents any sequence of n tokens from occurring twice in the text, including the prompt (Paulus et al., 2017). */
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

/** Yields the tokens that follow each occurrence of `beginning` in a text. */
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
