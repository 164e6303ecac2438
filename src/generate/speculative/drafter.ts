import { HeedError } from '../../util/errors.ts'
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

/** The error for a token of one side that is not in the vocabulary of the other. */
export const foreignToken = (from: string, of: string, size: number, token: number): HeedError =>
  new HeedError(
    'invalid-option',
    `Tokens of the ${from} must be below the vocabulary size of the ${of} (${size}), got ${token}`,
    { value: token, remedy: 'Draft with a model that has the same tokenizer.' },
  )
