import type { LogitsProcessor } from './processor.ts'

/** Replaces NaN by 0 and infinite scores by the largest finite values, so that generation does not fail. */
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

/** Largest finite float32. */
const LARGEST = 3.4028234663852886e38
