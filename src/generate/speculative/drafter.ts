import { HeedError } from '../../util/errors.ts'
import type { Candidates } from '../candidates.ts'
import type { LogitsProcessor, Text } from '../processors/processor.ts'
import type { SamplingOptions } from '../sampling.ts'

/** The settings for choosing tokens of the text. Drafts chosen with the same settings are accepted more often. */
export interface DraftRules {
  /** Sampling settings of the text. */
  sampling: SamplingOptions
  /** Logits processors of the text. */
  processors: readonly LogitsProcessor[]
}

/** A proposed token with the candidates from which it was drawn; null if it was not drawn. */
export interface Draft {
  /** Id of the proposed token. */
  token: number
  /** The distribution from which it was drawn. */
  from: Candidates | null
}

/** Proposes the next tokens for speculative decoding; the model verifies all of them in one run. */
export abstract class Drafter {
  /** Number of proposed tokens. */
  proposed = 0
  /** Number of accepted tokens. */
  accepted = 0

  /** Proposes at most `count` tokens that may follow the text. */
  abstract propose(text: Text, count: number, rules: DraftRules): Promise<Draft[]>
}

/** The error for a token that is not in the vocabulary of the other model. */
export const foreignToken = (from: string, of: string, size: number, token: number): HeedError =>
  new HeedError(
    'invalid-option',
    `Tokens of the ${from} must be below the vocabulary size of the ${of} (${size}), got ${token}`,
    { value: token, remedy: 'Draft with a model that has the same tokenizer.' },
  )
