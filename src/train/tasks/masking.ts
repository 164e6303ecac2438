import type { Tokenizer } from '../../tokenizers/index.ts'
import type { Draws } from '../draws.ts'

export interface Masked {
  /** With the mask, another token or the same one in the chosen places. */
  ids: number[]
  /** What stood there; -100 elsewhere. */
  labels: number[]
}

/**
 * BERT's masking (Devlin et al., 2019): of the tokens that are not special, each is chosen with
 * probability `share`; of those 80 % become the mask, 10 % any ordinary token, and 10 % stay.
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

  /** In a text with an ordinary token, at least one is chosen. */
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
