import type { LogitsProcessor, Text } from '../processors/processor.ts'
import type { Candidates, SamplingOptions } from '../sampling.ts'

/** How the text's own tokens are chosen: a drafter that does likewise guesses better. */
export interface DraftRules {
  sampling: SamplingOptions
  processors: readonly LogitsProcessor[]
}

/** A guess, and what it was drawn from: null when it could have been nothing else. */
export interface Draft {
  token: number
  from: Candidates | null
}

/** Guesses the next tokens; the model then checks all of them in one run. */
export abstract class Drafter {
  /** How many tokens were guessed so far, and how many of them were right. */
  proposed = 0
  accepted = 0

  /** At most `count` tokens that may follow the text. */
  abstract propose(text: Text, count: number, rules: DraftRules): Promise<Draft[]>
}
