import type { ComponentJson } from '../formats/tokenizer-json.ts'
import { NumberHeap } from './number-heap.ts'
import { byteTokens, type Pieces, push, unknownId, type WordModel } from './pieces.ts'

/**
 * Byte-pair encoding (Sennrich et al., 2016): a word starts as its characters, and the pair whose
 * merge was learnt first is joined, the leftmost first, until no merge applies.
 */
export class Bpe implements WordModel {
  private readonly vocab: ReadonlyMap<string, number>
  private readonly config: ComponentJson
  private readonly ranks = new Map<number, number>()
  private readonly merged: number[] = [] // the token that each merge makes
  private readonly prefix: string
  private readonly suffix: string

  constructor(config: ComponentJson, vocab: ReadonlyMap<string, number>) {
    this.config = config
    this.vocab = vocab
    this.prefix = String(config.continuing_subword_prefix ?? '')
    this.suffix = String(config.end_of_word_suffix ?? '')
    for (const merge of config.merges as (string | [string, string])[]) {
      const [left, right] = typeof merge === 'string' ? merge.split(' ') : merge
      const pair = pairKey(vocab.get(left) as number, vocab.get(right) as number)
      const token = vocab.get(left + right.slice(this.prefix.length)) as number
      this.ranks.set(pair, this.merged.push(token) - 1)
    }
  }

  encode(word: string): Pieces {
    const whole = this.config.ignore_merges ? this.vocab.get(word) : undefined
    if (whole !== undefined) return { ids: [whole], starts: [0], ends: [word.length] }
    const pieces = this.characters(word)
    return this.ranks.size === 0 || pieces.ids.length < 2 ? pieces : this.merge(pieces)
  }

  private characters(word: string): Pieces {
    const pieces: Pieces = { ids: [], starts: [], ends: [] }
    let afterUnknown = false
    for (let start = 0; start < word.length; ) {
      const end = start + ((word.codePointAt(start) as number) > 0xffff ? 2 : 1)
      let character = word.slice(start, end)
      if (start > 0) character = this.prefix + character
      if (end === word.length) character += this.suffix
      const id = this.vocab.get(character)
      const ids = id === undefined ? this.bytes(character) : [id]
      for (const id of ids ?? []) push(pieces, id, start, end)
      if (!ids) this.pushUnknown(pieces, start, end, afterUnknown)
      afterUnknown = !ids
      start = end
    }
    return pieces
  }

  /** The tokens of a character's bytes, `<0xE2>`, when there are all of them. */
  private bytes(character: string): number[] | undefined {
    if (!this.config.byte_fallback) return undefined
    return byteTokens(character, this.vocab)
  }

  /** Without an unknown token a character that nobody knows is left out, as in Python. */
  private pushUnknown(pieces: Pieces, start: number, end: number, again: boolean): void {
    const { unk_token, fuse_unk } = this.config
    if (unk_token === null || unk_token === undefined) return
    if (fuse_unk && again) pieces.ends[pieces.ends.length - 1] = end
    else push(pieces, unknownId(unk_token, this.vocab), start, end)
  }

  private merge({ ids, starts, ends }: Pieces): Pieces {
    const length = ids.length
    const next = Int32Array.from(ids, (_, i) => i + 1)
    const before = Int32Array.from(ids, (_, i) => i - 1)
    const waiting = new NumberHeap() // rank and place in one number: the earliest merge on top
    const consider = (at: number): void => {
      const right = next[at]
      const rank = right < length ? this.ranks.get(pairKey(ids[at], ids[right])) : undefined
      if (rank !== undefined) waiting.push(rank * PLACES + at)
    }
    for (let i = 0; i + 1 < length; i++) consider(i)
    for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
      const at = top % PLACES
      const rank = (top - at) / PLACES
      const right = next[at]
      if (ids[at] === DEAD || right >= length) continue
      if (this.ranks.get(pairKey(ids[at], ids[right])) !== rank) continue // merged meanwhile
      ids[at] = this.merged[rank]
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

function pairKey(left: number, right: number): number {
  return left * 2 ** 26 + right
}
