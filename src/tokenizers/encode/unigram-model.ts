import { z } from 'zod'
import { HeedError, shown } from '../../util/errors.ts'
import { refuse } from '../schema-error.ts'
import { scoredVocabulary } from './model-settings.ts'
import { byteTokens, type Pieces, push } from './pieces.ts'
import { PrefixTable } from './prefix-table.ts'
import { registerTokenizerStep } from './register-step.ts'
import { flag } from './settings.ts'
import type { TokenIds, WordModel } from './steps.ts'

const settings = z
  .object({ vocab: scoredVocabulary, unk_id: z.int().min(0).nullish(), byte_fallback: flag(false) })
  .transform((json, context) => {
    const { length } = json.vocab.tokens
    if ((json.unk_id ?? -1) < length) return json
    return refuse(
      context,
      json.unk_id,
      `the index of a token in the vocabulary (0 to ${length - 1})`,
      {
        path: ['unk_id'],
      },
    )
  })

/**
 * Unigram language model (Kudo, 2018): finds the segmentation of a word with the highest sum of log-probabilities
 * (Viterbi algorithm).
 */
class Unigram implements WordModel {
  readonly vocab: TokenIds
  readonly size: number
  readonly unknownToken: string | undefined
  readonly byteFallback: boolean
  private readonly scores: Float64Array
  private readonly tokens: PrefixTable
  private readonly unknown: number | undefined
  private readonly unknownScore: number

  constructor({ vocab: { tokens, scores }, unk_id, byte_fallback }: z.output<typeof settings>) {
    this.vocab = new Map(tokens.map((token, id) => [token, id]))
    this.size = tokens.length
    this.scores = scores
    this.tokens = new PrefixTable(this.vocab)
    this.unknown = unk_id ?? undefined
    this.unknownToken = this.unknown === undefined ? undefined : tokens[this.unknown]
    this.unknownScore =
      scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY
    this.byteFallback = byte_fallback
  }

  encode(word: string): Pieces {
    const { ends, ids } = this.bestPath(word)
    const pieces: Pieces = { ids: [], starts: [], ends: [] }
    for (let i = 0; i < ids.length; i++) {
      const start = i === 0 ? 0 : ends[i - 1]
      while (ids[i] === UNKNOWN && ids[i + 1] === UNKNOWN) i++ // merge consecutive unknown characters
      this.push(pieces, ids[i], word, start, ends[i])
    }
    return pieces
  }

  /** Ids and ends of the best segmentation; UNKNOWN for characters without a token. */
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
      by[end] = id + 2 // 0: unreached, 1: unknown
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
    const text = id === UNKNOWN ? word.slice(start, end) : ''
    for (const known of id === UNKNOWN ? this.outsideVocabulary(text) : [id]) {
      push(pieces, known, start, end)
      if (id === UNKNOWN && known === this.unknown) {
        pieces.texts ??= []
        pieces.texts[pieces.ids.length - 1] = text
      }
    }
  }

  /** Encodes a sequence of unknown characters, which together may be a token. */
  private outsideVocabulary(text: string): number[] {
    const id = this.vocab.get(text)
    if (id !== undefined) return [id]
    const bytes = this.byteFallback ? byteTokens(text, this.vocab) : undefined
    if (bytes) return bytes
    if (this.unknown !== undefined) return [this.unknown]
    throw new HeedError(
      'invalid-data',
      `Every character must be in the vocabulary, got ${shown(text)}`,
      {
        key: 'text',
        value: text,
        remedy:
          'This tokenizer has no unknown token (`unk_id`). Remove the character from the text.',
      },
    )
  }
}

const UNKNOWN = -1
const UNKNOWN_PENALTY = 10

registerTokenizerStep('model', 'Unigram', {
  schema: settings,
  make: (values) => new Unigram(values),
})
