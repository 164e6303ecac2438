import { argumentKinds } from '../../util/argument-kinds.ts'
import { optionKinds } from '../../util/options.ts'
import { checkWhole, type Text } from '../processors/processor.ts'
import { type Draft, Drafter } from './drafter.ts'

/** Options of `PromptLookup`. */
export interface PromptLookupOptions {
  /** Maximum number of tokens at the end of the text to search for. Default 3. */
  ngram?: number
  /** Maximum number of tokens to propose. Default 7. */
  tokens?: number
}

const checkPromptLookup = argumentKinds('PromptLookup', {
  options: optionKinds<PromptLookupOptions>({ ngram: 'number?', tokens: 'number?' }),
})

/**
 * Proposes the tokens that followed an earlier occurrence of the last tokens (prompt lookup; Saxena, 2023). It works well
 * for summaries, code and quotations.
 */
export class PromptLookup extends Drafter {
  private readonly ngram: number
  private readonly most: number

  /** Creates the drafter. @throws HeedError unless `ngram` and `tokens` are whole numbers from 1 */
  constructor(options: PromptLookupOptions = {}) {
    checkPromptLookup(options)
    const { ngram = 3, tokens = 7 } = options
    super()
    checkWhole('ngram', ngram, 1)
    checkWhole('tokens', tokens, 1)
    this.ngram = ngram
    this.most = tokens
  }

  async propose({ tokens }: Text, count: number): Promise<Draft[]> {
    for (let n = Math.min(this.ngram, tokens.length - 1); n > 0; n--) {
      const at = lastMatch(tokens, n)
      if (at < 0) continue
      const follow = tokens.slice(at + n, at + n + Math.min(count, this.most))
      return follow.map((token) => ({ token, from: null }))
    }
    return []
  }
}

/** The latest earlier occurrence of the last n tokens; -1 if there is none. */
function lastMatch(tokens: readonly number[], n: number): number {
  const end = tokens.length - n
  for (let at = end - 1; at >= 0; at--) {
    let same = 0
    while (same < n && tokens[at + same] === tokens[end + same]) same++
    if (same === n) return at
  }
  return -1
}
