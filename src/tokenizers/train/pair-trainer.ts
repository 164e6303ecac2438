import { type Pair, PairHeap } from './pair-heap.ts'

export interface PairTrainerOptions {
  vocabSize: number
  /** Minimum count of a pair to merge. */
  minFrequency: number
  /** Initial tokens by id: special tokens and the initial symbols of words. */
  alphabet: string[]
  /** Ids of the initial symbols of a word; -1 for characters outside of the alphabet. */
  symbolsOf: (word: string) => ArrayLike<number>
  /** Prefix of tokens inside a word, such as WordPiece's `##`. It is removed when tokens are joined. */
  prefix?: string
  /** Whether to leave pairs apart that form a token that exists already. Default false. */
  isNewOnly?: boolean
  onMerge?: (tokens: number) => void
}

export interface PairVocabulary {
  /** Tokens by id. */
  tokens: string[]
  /** Merges as `left right`, in order of application. */
  merges: string[]
}

/**
 * Learns tokens from words and their counts by repeatedly joining the most frequent pair (byte-pair encoding; Sennrich
 * et al., 2016). Ids are those of Hugging Face's trainer: the alphabet, then one token per merge.
 */
export function trainPairs(
  words: ReadonlyMap<string, number>,
  options: PairTrainerOptions,
): PairVocabulary {
  const { prefix = '', isNewOnly = false } = options
  const tokens = [...options.alphabet]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const merges: string[] = []
  const text = new SymbolText(words, options.symbolsOf)
  while (tokens.length < options.vocabSize) {
    const pair = text.mostFrequent()
    if (!pair || pair.count < options.minFrequency) break
    const token = tokens[pair.left] + tokens[pair.right].slice(prefix.length)
    let id = ids.get(token)
    if (id !== undefined && isNewOnly) continue
    // 'a' + 'bc' and 'ab' + 'c' are two merges to one token
    if (id === undefined) {
      id = tokens.push(token) - 1
      ids.set(token, id)
    }
    merges.push(`${tokens[pair.left]} ${tokens[pair.right]}`)
    text.merge(pair, id)
    options.onMerge?.(tokens.length)
  }
  return { tokens, merges }
}

/** All words as a linked list of symbols, with an index of the positions of each pair. */
class SymbolText {
  private symbols: Int32Array // token at each position; DEAD after it is merged into its left neighbour
  private before: Int32Array
  private after: Int32Array
  private wordOf: Int32Array
  private counts: number[] = []
  private pairs = new Map<number, Pair>()
  private heap = new PairHeap()

  constructor(words: ReadonlyMap<string, number>, symbolsOf: (word: string) => ArrayLike<number>) {
    const symbols = Array.from(words.keys(), symbolsOf)
    const length = symbols.reduce((sum, { length }) => sum + length, 0)
    this.symbols = new Int32Array(length)
    this.before = new Int32Array(length)
    this.after = new Int32Array(length)
    this.wordOf = new Int32Array(length)
    let at = 0
    for (const count of words.values()) at = this.place(symbols[this.counts.length], at, count)
    for (let p = 0; p < length; p++) if (this.after[p] >= 0) this.add(p)
    for (const pair of this.pairs.values()) this.heap.push(pair)
  }

  mostFrequent(): Pair | undefined {
    return this.heap.pop()
  }

  /** Replaces all occurrences of a pair by `id`, from left to right like the encoder. */
  merge(pair: Pair, id: number): void {
    const grown = new Set<Pair>()
    pair.positions.sort((a, b) => a - b)
    for (const p of pair.positions) {
      const q = this.symbols[p] === pair.left ? this.after[p] : NONE
      if (q === NONE || this.symbols[q] !== pair.right) continue
      const before = this.before[p]
      const after = this.after[q]
      if (before !== NONE) this.remove(before)
      if (after !== NONE) this.remove(q)
      this.symbols[p] = id
      this.symbols[q] = DEAD
      this.after[p] = after
      if (after !== NONE) this.before[after] = p
      if (before !== NONE) grown.add(this.add(before))
      if (after !== NONE) grown.add(this.add(p))
    }
    pair.count = 0
    this.pairs.delete(pairKey(pair.left, pair.right))
    for (const other of grown) if (other.count > 0) this.heap.push(other)
  }

  private place(symbols: ArrayLike<number>, start: number, count: number): number {
    const word = this.counts.push(count) - 1
    const { length } = symbols
    for (let i = 0; i < length; i++) {
      const p = start + i
      const follows = i > 0 && symbols[i - 1] >= 0 && symbols[i] >= 0
      this.symbols[p] = symbols[i]
      this.before[p] = follows ? p - 1 : NONE
      this.after[p] = NONE
      if (follows) this.after[p - 1] = p
      this.wordOf[p] = word
    }
    return start + length
  }

  /** Counts the pair that starts at a position. */
  private add(position: number): Pair {
    const left = this.symbols[position]
    const right = this.symbols[this.after[position]]
    const key = pairKey(left, right)
    let pair = this.pairs.get(key)
    if (!pair) {
      pair = { left, right, count: 0, positions: [] }
      this.pairs.set(key, pair)
    }
    pair.count += this.counts[this.wordOf[position]]
    pair.positions.push(position)
    return pair
  }

  /** Subtracts the pair that starts at a position from its count. The stored position becomes stale. */
  private remove(position: number): void {
    const key = pairKey(this.symbols[position], this.symbols[this.after[position]])
    const pair = this.pairs.get(key)
    if (pair) pair.count -= this.counts[this.wordOf[position]]
  }
}

const NONE = -1
const DEAD = -1

function pairKey(left: number, right: number): number {
  return left * 2 ** 26 + right
}
