import type { Candidates } from '../candidates.ts'
import type { LogitsProcessor, Text } from '../processors/processor.ts'
import type { SamplingOptions } from '../sampling.ts'

/** How the tokens of the text are chosen; drafts by the same rules are accepted more often. */
export interface DraftRules {
  sampling: SamplingOptions
  processors: readonly LogitsProcessor[]
}

/** A guess and the candidates that it was drawn from; null where it was certain. */
export interface Draft {
  token: number
  from: Candidates | null
}

/** Guesses the next tokens; the model then checks all of them in one run. */
export abstract class Drafter {
  /** Number of tokens guessed, and accepted. */
  proposed = 0
  accepted = 0

  /** At most `count` tokens that may follow the text. */
  abstract propose(text: Text, count: number, rules: DraftRules): Promise<Draft[]>
}
