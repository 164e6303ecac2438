import { logSumExp } from '../log-probabilities.ts'
import type { LogitsProcessor } from './processor.ts'

/** Turns scores into log-probabilities again, after rules that hide some of them. */
export function normalise(): LogitsProcessor {
  return {
    process(scores) {
      const norm = logSumExp(scores)
      for (let i = 0; i < scores.length; i++) scores[i] -= norm
    },
  }
}
