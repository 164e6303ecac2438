import { type Matcher, NOWHERE } from './matcher.ts'

/**
 * A trie of the bytes of all tokens, so that tokens with a common prefix are matched together. Nodes are in pre-order: the
 * descendants of node i end before `after[i]`.
 */
export class TokenTrie {
  readonly size: number
  private readonly bytes: Uint8Array
  private readonly depths: Uint16Array
  private readonly after: Int32Array
  /** For each node, the first token that ends there, or -1. */
  private readonly tokens: Int32Array
  /** For each token, the next token with the same bytes, or -1. */
  private readonly twins: Int32Array

  /** @param tokens the bytes of each token; null for special tokens */
  constructor(tokens: readonly (Uint8Array | null)[]) {
    this.size = tokens.length
    const order = [...tokens.keys()].filter((id) => (tokens[id]?.length ?? 0) > 0)
    const bytesOf = (id: number): Uint8Array => tokens[id] as Uint8Array
    order.sort((a, b) => compare(bytesOf(a), bytesOf(b)))
    const total = order.reduce((sum, id) => sum + bytesOf(id).length, 0)
    const nodes = { bytes: new Uint8Array(total), depths: new Uint16Array(total), tokens: new Int32Array(total).fill(-1), after: new Int32Array(total) } // biome-ignore format: one line
    this.twins = new Int32Array(tokens.length).fill(-1)
    const path: number[] = []
    let count = 0
    let before: Uint8Array = new Uint8Array(0)
    for (const id of order) {
      const current = bytesOf(id)
      let shared = 0
      while (
        shared < before.length &&
        shared < current.length &&
        before[shared] === current[shared]
      )
        shared++
      for (const node of path.splice(shared)) nodes.after[node] = count
      for (let depth = shared; depth < current.length; depth++) {
        nodes.bytes[count] = current[depth]
        nodes.depths[count] = depth
        path.push(count++)
      }
      const leaf = path[current.length - 1]
      this.twins[id] = nodes.tokens[leaf]
      nodes.tokens[leaf] = id
      before = current
    }
    for (const node of path) nodes.after[node] = count
    this.bytes = nodes.bytes.subarray(0, count)
    this.depths = nodes.depths.subarray(0, count)
    this.tokens = nodes.tokens.subarray(0, count)
    this.after = nodes.after.subarray(0, count)
  }

  /** Calls `onToken` with each token that may follow a state, and the state after the token. */
  follow(matcher: Matcher, state: number, onToken: (token: number, state: number) => void): void {
    const states = [state] // at each depth of the walk
    let node = 0
    while (node < this.bytes.length) {
      const depth = this.depths[node]
      const next = matcher.next(states[depth], this.bytes[node])
      if (next === NOWHERE) {
        node = this.after[node]
        continue
      }
      states[depth + 1] = next
      for (let token = this.tokens[node]; token >= 0; token = this.twins[token])
        onToken(token, next)
      node++
    }
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}
