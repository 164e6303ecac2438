import type { TokenIds } from './steps.ts'

/** Finds the tokens that are a prefix of a text, by binary search over sorted tokens. */
export class PrefixTable {
  private readonly sorted: string[]
  private readonly ids: Int32Array

  constructor(ids: TokenIds) {
    this.sorted = Array.from(ids, ([token]) => token).sort() // by UTF-16 units, like the comparisons below
    this.ids = Int32Array.from(this.sorted, (token) => ids.get(token) ?? -1)
  }

  /** Visits each token that occurs in the text at `start`, shortest first, with its end. */
  prefixes(text: string, start: number, use: (id: number, end: number) => void): void {
    let low = 0
    let high = this.sorted.length
    for (let depth = 0; start + depth < text.length; depth++) {
      const code = text.charCodeAt(start + depth)
      low = this.firstAtLeast(code, depth, low, high)
      high = this.firstAtLeast(code + 1, depth, low, high)
      if (low === high) return
      if (this.sorted[low].length === depth + 1) use(this.ids[low], start + depth + 1)
    }
  }

  /** Index of the first token whose unit at `depth` is at least `code`. Shorter tokens have the unit -1. */
  private firstAtLeast(code: number, depth: number, low: number, high: number): number {
    let [from, to] = [low, high]
    while (from < to) {
      const middle = (from + to) >> 1
      const token = this.sorted[middle]
      if (depth < token.length && token.charCodeAt(depth) >= code) to = middle
      else from = middle + 1
    }
    return from
  }
}
