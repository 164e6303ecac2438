import { z } from 'zod'
import { type MergeTable, pairKey, readMerges, vocabulary } from './model-settings.ts'
import { NumberHeap } from './number-heap.ts'
import { byteTokens, type Pieces, push, unknownId } from './pieces.ts'
import { registerTokenizerStep } from './register-step.ts'
import { flag, text } from './settings.ts'
import type { WordModel } from './steps.ts'

const settings = z
  .object({
    vocab: vocabulary,
    merges: z.unknown(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: text(''),
    end_of_word_suffix: text(''),
    fuse_unk: flag(false),
    byte_fallback: flag(false),
    ignore_merges: flag(false),
  })
  .transform((json, context) => {
    const { vocab, continuing_subword_prefix: prefix } = json
    return { ...json, merges: readMerges(json.merges, { vocab, prefix }, context) }
  })

type Settings = z.output<typeof settings>

/**
 * Byte-pair encoding (Sennrich et al., 2016): a word starts as its characters. Of all pairs that have a merge,
 * the one that was learned first is joined, the leftmost first, until no merge applies.
 */
class Bpe implements WordModel {
  readonly vocab: ReadonlyMap<string, number>
  readonly unknownToken: string | undefined
  readonly byteFallback: boolean
  readonly splitsCharacters: boolean
  private readonly settings: Settings
  private readonly merges: MergeTable

  constructor(settings: Settings) {
    const {
      vocab,
      merges,
      continuing_subword_prefix: prefix,
      end_of_word_suffix: suffix,
    } = settings
    this.vocab = vocab
    this.unknownToken = settings.unk_token ?? undefined
    this.byteFallback = settings.byte_fallback
    this.splitsCharacters =
      merges.merged.length === 0 &&
      prefix === '' &&
      suffix === '' &&
      !settings.fuse_unk &&
      !settings.ignore_merges
    this.settings = settings
    this.merges = merges
  }

  encode(word: string): Pieces {
    const id = this.settings.ignore_merges ? this.vocab.get(word) : undefined
    if (id !== undefined) return { ids: [id], starts: [0], ends: [word.length] }
    const pieces = this.characters(word)
    return this.merges.ranks.size === 0 || pieces.ids.length < 2 ? pieces : this.merge(pieces)
  }

  private characters(word: string): Pieces {
    const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = this.settings
    const pieces: Pieces = { ids: [], starts: [], ends: [] }
    let afterUnknown = false
    for (let start = 0; start < word.length; ) {
      const end = start + ((word.codePointAt(start) as number) > 0xffff ? 2 : 1)
      let character = word.slice(start, end)
      if (start > 0) character = prefix + character
      if (end === word.length) character += suffix
      const id = this.vocab.get(character)
      const ids = id === undefined ? this.bytes(character) : [id]
      for (const id of ids ?? []) push(pieces, id, start, end)
      if (!ids) this.pushUnknown(pieces, character, { start, end, again: afterUnknown })
      afterUnknown = !ids
      start = end
    }
    return pieces
  }

  /** The tokens of a character's bytes, `<0xE2>`, if the vocabulary has all of them. */
  private bytes(character: string): number[] | undefined {
    return this.byteFallback ? byteTokens(character, this.vocab) : undefined
  }

  /** Without an unknown token, a character outside the vocabulary is left out, as in Python. */
  private pushUnknown(
    pieces: Pieces,
    character: string,
    { start, end, again }: { start: number; end: number; again: boolean },
  ): void {
    if (this.unknownToken === undefined) return
    if (this.settings.fuse_unk && again) pieces.ends[pieces.ends.length - 1] = end
    else push(pieces, unknownId(character, this.unknownToken, this.vocab), start, end)
  }

  private merge({ ids, starts, ends }: Pieces): Pieces {
    const { ranks, merged } = this.merges
    const length = ids.length
    const next = Int32Array.from(ids, (_, i) => i + 1)
    const before = Int32Array.from(ids, (_, i) => i - 1)
    const waiting = new NumberHeap() // rank and place in one number: the earliest merge on top
    const consider = (at: number): void => {
      const right = next[at]
      const rank = right < length ? ranks.get(pairKey(ids[at], ids[right])) : undefined
      if (rank !== undefined) waiting.push(rank * PLACES + at)
    }
    for (let i = 0; i + 1 < length; i++) consider(i)
    for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
      const at = top % PLACES
      const rank = (top - at) / PLACES
      const right = next[at]
      if (ids[at] === DEAD || right >= length) continue
      if (ranks.get(pairKey(ids[at], ids[right])) !== rank) continue // merged meanwhile
      ids[at] = merged[rank]
      ids[right] = DEAD
      ends[at] = ends[right]
      next[at] = next[right]
      if (next[at] < length) before[next[at]] = at
      consider(at)
      if (before[at] >= 0) consider(before[at])
    }
    const pieces: Pieces = { ids: [], starts: [], ends: [] }
    for (let i = 0; i < length; i = next[i]) push(pieces, ids[i], starts[i], ends[i])
    return pieces
  }
}

const DEAD = -1
const PLACES = 2 ** 29 // more than a string has; 2^24 ranks times this stay exact

registerTokenizerStep('model', 'BPE', { schema: settings, make: (values) => new Bpe(values) })
