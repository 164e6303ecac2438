import type { Tokenizer } from '../../tokenizers/index.ts'
import type { Draws } from '../draws.ts'

export interface Masked {
  /** Ids with the mask, a random token or the original token in the selected places. */
  ids: number[]
  /** The original tokens in the selected places; -100 elsewhere. */
  labels: number[]
}

/**
 * BERT's masking (Devlin et al., 2019, section 3.1). Each token that is not special is selected with probability `share`.
 * Of the selected tokens, 80 % become the mask, 10 % a random token, and 10 % are unchanged.
 */
export class Masking {
  private readonly tokenizer: Tokenizer
  private readonly share: number
  private readonly mask: number
  private readonly ordinary: readonly number[]

  constructor(tokenizer: Tokenizer, mask: number, share: number) {
    this.tokenizer = tokenizer
    this.share = share
    this.mask = mask
    this.ordinary = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
      (id) => tokenizer.idToToken(id) !== undefined && !tokenizer.isSpecial(id),
    )
  }

  /** Masks a text. At least one token is selected, unless all are special. */
  apply(ids: readonly number[], draws: Draws): Masked {
    const places = ids.flatMap((id, i) => (this.tokenizer.isSpecial(id) ? [] : [i]))
    let chosen = places.filter(() => draws.next() < this.share)
    if (chosen.length === 0 && places.length > 0) chosen = [places[draws.below(places.length)]]
    const masked = { ids: [...ids], labels: ids.map(() => -100) }
    for (const place of chosen) {
      masked.labels[place] = ids[place]
      const way = draws.next()
      if (way < 0.8) masked.ids[place] = this.mask
      else if (way < 0.9) masked.ids[place] = this.ordinary[draws.below(this.ordinary.length)]
    }
    return masked
  }
}
