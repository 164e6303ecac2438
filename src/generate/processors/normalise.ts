import { logSumExp } from '../log-probabilities.ts'
import type { LogitsProcessor } from './processor.ts'

/** Normalises scores to log-probabilities, after other processors have hidden tokens. */
export function normalise(): LogitsProcessor {
  return {
    process(scores) {
      const norm = logSumExp(scores)
      for (let i = 0; i < scores.length; i++) scores[i] -= norm
    },
  }
}
