/** A pair of neighbouring tokens with its count and positions. */
export interface Pair {
  left: number
  right: number
  count: number
  /** Positions at which the pair was counted. Later merges invalidate some of them. */
  positions: number[]
}

/**
 * A max-heap of pairs by count. Ties are broken by the smaller ids, so that the order does not depend on how the text
 * was read. Counts decrease while a pair is in the heap: each item stores its count when it was pushed, and an outdated
 * item is pushed again.
 */
export class PairHeap {
  private items: { pair: Pair; count: number }[] = []

  push(pair: Pair): void {
    const items = this.items
    const item = { pair, count: pair.count }
    let at = items.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(item, items[parent])) break
      items[at] = items[parent]
      at = parent
    }
    items[at] = item
  }

  pop(): Pair | undefined {
    while (this.items.length > 0) {
      const { pair, count } = this.removeTop()
      if (pair.count === count) return pair
      if (pair.count > 0) this.push(pair)
    }
    return undefined
  }

  private removeTop(): { pair: Pair; count: number } {
    const items = this.items
    const top = items[0]
    const last = items.pop() as { pair: Pair; count: number }
    if (items.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBefore(items[child + 1], items[child])) child++
      if (!isBefore(items[child], last)) break
      items[at] = items[child]
      at = child
    }
    items[at] = last
    return top
  }
}

function isBefore(a: { pair: Pair; count: number }, b: { pair: Pair; count: number }): boolean {
  if (a.count !== b.count) return a.count > b.count
  if (a.pair.left !== b.pair.left) return a.pair.left < b.pair.left
  return a.pair.right < b.pair.right
}
