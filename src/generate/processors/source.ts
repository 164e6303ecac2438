// Logits processors that depend on the source: the input of an encoder-decoder, or the prompt.
import { completions } from './ngrams.ts'
import { checkFactor, scale } from './penalties.ts'
import { checkWhole, HIDDEN, type LogitsProcessor, sourceOf } from './processor.ts'

/** Makes tokens of the source more likely (above 1) or less likely: the inverse of `repetitionPenalty`. */
export function sourceRepetitionPenalty(penalty: number): LogitsProcessor {
  checkFactor('sourceRepetitionPenalty', penalty)
  return { process: (scores, text) => scale(scores, sourceOf(text), 1 / penalty) }
}

/** Prevents sequences of n tokens of the source from being generated. */
export function noSourceNgrams(n: number): LogitsProcessor {
  checkWhole('noSourceNgrams', n, 1)
  return {
    process(scores, text) {
      const { tokens } = text
      if (tokens.length < n - 1) return
      const end = n === 1 ? [] : tokens.slice(1 - n)
      for (const token of completions(sourceOf(text), end)) scores[token] = HIDDEN
    },
  }
}
