import { HeedError } from '../../util/errors.ts'
import type { ComponentJson } from '../formats/tokenizer-json.ts'
import { byteTokens, type Pieces, push, type WordModel } from './pieces.ts'
import { PrefixTable } from './prefix-table.ts'

/**
 * Unigram language model (Kudo, 2018): of all ways to cut a word, the one with the highest sum of
 * log-probabilities, found from left to right (Viterbi).
 */
export class Unigram implements WordModel {
  private readonly scores: Float64Array
  private readonly tokens: PrefixTable
  private readonly vocab: ReadonlyMap<string, number>
  private readonly unknown: number | undefined
  private readonly unknownScore: number
  private readonly byteFallback: boolean

  constructor(config: ComponentJson, vocab: ReadonlyMap<string, number>) {
    const entries = config.vocab as [string, number][]
    this.vocab = vocab
    this.scores = Float64Array.from(entries, ([, score]) => score)
    this.tokens = new PrefixTable(entries.map(([token]) => token))
    this.unknown = typeof config.unk_id === 'number' ? config.unk_id : undefined
    this.unknownScore =
      this.scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY
    this.byteFallback = config.byte_fallback === true
  }

  encode(word: string): Pieces {
    const { ends, ids } = this.bestPath(word)
    const pieces: Pieces = { ids: [], starts: [], ends: [] }
    for (let i = 0; i < ids.length; i++) {
      const start = i === 0 ? 0 : ends[i - 1]
      while (ids[i] === UNKNOWN && ids[i + 1] === UNKNOWN) i++ // neighbours become one
      this.push(pieces, ids[i], word, start, ends[i])
    }
    return pieces
  }

  /** Ids and ends of the best cut; UNKNOWN for a character that is no token. */
  private bestPath(word: string): { ids: number[]; ends: number[] } {
    const length = word.length
    const best = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY)
    const from = new Int32Array(length + 1)
    const by = new Int32Array(length + 1)
    best[0] = 0
    const offer = (start: number, end: number, id: number, score: number): void => {
      const total = best[start] + score
      if (by[end] !== 0 && total <= best[end]) return
      best[end] = total
      from[end] = start
      by[end] = id + 2 // 0: nothing yet, 1: unknown
    }
    for (let start = 0; start < length; ) {
      const character = start + ((word.codePointAt(start) as number) > 0xffff ? 2 : 1)
      let single = false
      this.tokens.prefixes(word, start, (id, end) => {
        offer(start, end, id, this.scores[id])
        single ||= end === character
      })
      if (!single) offer(start, character, UNKNOWN, this.unknownScore)
      start = character
    }
    const ids: number[] = []
    const ends: number[] = []
    for (let end = length; end > 0; end = from[end]) {
      const id = by[end] - 2
      ids.push(id === this.unknown ? UNKNOWN : id)
      ends.push(end)
    }
    return { ids: ids.reverse(), ends: ends.reverse() }
  }

  private push(pieces: Pieces, id: number, word: string, start: number, end: number): void {
    const known = id === UNKNOWN ? this.outsideVocabulary(word.slice(start, end)) : [id]
    for (const id of known) push(pieces, id, start, end)
  }

  private outsideVocabulary(text: string): number[] {
    const bytes = this.byteFallback ? byteTokens(text, this.vocab) : undefined
    if (bytes) return bytes
    if (this.unknown !== undefined) return [this.unknown]
    throw new HeedError(
      'unknown-name',
      'the text has a character that the tokenizer does not know',
      {
        remedy: 'The tokenizer names no unknown token (unk_id) to put in its place.',
      },
    )
  }
}

const UNKNOWN = -1
const UNKNOWN_PENALTY = 10
