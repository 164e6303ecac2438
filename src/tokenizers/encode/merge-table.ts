/**
 * The merges of BPE by their pairs of tokens, in the order in which they apply (the rank). A hash table with open
 * addressing over plain arrays: a vocabulary has up to a million merges, and a `Map` of pairs takes several times as
 * long to fill.
 */
export class MergeTable {
  /** The number of merges. */
  size = 0
  /** The token that each merge makes, by its rank. */
  private readonly tokens: Int32Array
  /** Left, right and rank + 1 of each entry; 0 for a free one. */
  private readonly entries: Int32Array
  private readonly mask: number

  constructor(capacity: number) {
    let slots = 4
    while (slots < capacity * 2) slots *= 2
    this.tokens = new Int32Array(capacity)
    this.entries = new Int32Array(slots * 3)
    this.mask = slots - 1
  }

  /** Adds the next merge; of equal pairs the last one counts. */
  add(left: number, right: number, token: number): void {
    const entry = this.find(left, right)
    this.tokens[this.size] = token
    this.entries[entry] = left
    this.entries[entry + 1] = right
    this.entries[entry + 2] = ++this.size
  }

  /** The rank of the merge of two tokens, -1 if there is none. */
  rank(left: number, right: number): number {
    return this.entries[this.find(left, right) + 2] - 1
  }

  /** The token that the merge of a rank makes. */
  token(rank: number): number {
    return this.tokens[rank]
  }

  /** The entry of a pair, or the free one where it belongs. */
  private find(left: number, right: number): number {
    const { entries, mask } = this
    let slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (;;) {
      const entry = slot * 3
      if (entries[entry + 2] === 0 || (entries[entry] === left && entries[entry + 1] === right))
        return entry
      slot = (slot + 1) & mask
    }
  }
}
