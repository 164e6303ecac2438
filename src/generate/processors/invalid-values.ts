import type { LogitsProcessor } from './processor.ts'

/** NaN becomes 0 and infinite scores the largest finite ones, so that a broken model continues. */
export function removeInvalidValues(): LogitsProcessor {
  return {
    process(scores) {
      for (let i = 0; i < scores.length; i++) {
        if (Number.isNaN(scores[i])) scores[i] = 0
        else if (!Number.isFinite(scores[i])) scores[i] = Math.sign(scores[i]) * LARGEST
      }
    },
  }
}

/** Of float32. */
const LARGEST = 3.4028234663852886e38
