import type { TokenIds } from './steps.ts'

/** Finds the tokens that a text begins with: the tokens are sorted, and searched character by character. */
export class PrefixTable {
  private readonly sorted: string[]
  private readonly ids: Int32Array

  constructor(ids: TokenIds) {
    this.sorted = Array.from(ids, ([token]) => token).sort() // by UTF-16 units, as they are compared below
    this.ids = Int32Array.from(this.sorted, (token) => ids.get(token) ?? -1)
  }

  /** Every token that the text has at `start`, the shortest first, with its end in the text. */
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

  /** Tokens that are shorter than `depth` come first: their code there is -1. */
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
