/**
 * BPE merges by pair of tokens, with their ranks. It is a hash table with open addressing over typed arrays, because a
 * vocabulary has up to a million merges, and a `Map` of pairs takes several times as long to fill.
 */
export class MergeTable {
  /** The number of merges. */
  size = 0
  /** The resulting token of each merge, by rank. */
  private tokens = new Int32Array(1 << 6)
  /** Left, right and rank + 1 of each entry; 0 for a free entry. */
  private entries = new Int32Array(3 << 7)
  private mask = (1 << 7) - 1

  /** Adds a merge with the next rank. A repeated pair gets the new rank. Returns whether the pair is new. */
  add(left: number, right: number, token: number): boolean {
    if (this.size === this.tokens.length) this.grow()
    this.tokens[this.size] = token
    return this.put(left, right, ++this.size)
  }

  /** The rank of the merge of two tokens, or -1. */
  rank(left: number, right: number): number {
    return this.entries[this.find(left, right) + 2] - 1
  }

  /** The resulting token of the merge with a rank. */
  token(rank: number): number {
    return this.tokens[rank]
  }

  /** The pairs of tokens in the order of their ranks. There must be no repeated pairs. */
  pairs(): (readonly [left: number, right: number])[] {
    const { entries } = this
    const pairs = new Array<readonly [number, number]>(this.size)
    for (let entry = 0; entry < entries.length; entry += 3) {
      const rank = entries[entry + 2] - 1
      if (rank >= 0) pairs[rank] = [entries[entry], entries[entry + 1]]
    }
    return pairs
  }

  private put(left: number, right: number, rank: number): boolean {
    const { entries } = this
    const entry = this.find(left, right)
    const isNew = entries[entry + 2] === 0
    entries[entry] = left
    entries[entry + 1] = right
    entries[entry + 2] = rank
    return isNew
  }

  private grow(): void {
    const { tokens, entries } = this
    this.tokens = new Int32Array(tokens.length * 2)
    this.tokens.set(tokens)
    this.entries = new Int32Array(entries.length * 2)
    this.mask = this.mask * 2 + 1
    for (let entry = 0; entry < entries.length; entry += 3)
      if (entries[entry + 2] > 0) this.put(entries[entry], entries[entry + 1], entries[entry + 2])
  }

  /** The position of the entry for a pair, which may be free. */
  private find(left: number, right: number): number {
    const { entries, mask } = this
    let slot = (Math.imul(left, LEFT) ^ Math.imul(right, RIGHT)) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (;;) {
      const entry = slot * 3
      if (entries[entry + 2] === 0 || (entries[entry] === left && entries[entry + 1] === right))
        return entry
      slot = (slot + 1) & mask
    }
  }
}

/** Odd factors, random per process, so that no file can be crafted to make pairs collide. */
const LEFT = oddNumber()
const RIGHT = oddNumber()

function oddNumber(): number {
  return Math.floor(Math.random() * 2 ** 32) | 1
}
