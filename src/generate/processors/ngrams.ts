import { checkWhole, HIDDEN, type LogitsProcessor } from './processor.ts'

/** No sequence of n tokens occurs twice in the text, prompt included (Paulus et al., 2017). */
export function noRepeatNgrams(n: number): LogitsProcessor {
  checkWhole('noRepeatNgrams', n, 1)
  return {
    process(scores, { tokens }) {
      const head = tokens.length - (n - 1) // start of the sequence that the next token completes
      for (let start = 0; start + n <= tokens.length; start++) {
        let same = 0
        while (same < n - 1 && tokens[start + same] === tokens[head + same]) same++
        if (same === n - 1) scores[tokens[start + n - 1]] = HIDDEN
      }
    },
  }
}
