import { PrefixTable } from '../encode/prefix-table.ts'

/** All segmentations of many words into pieces, as edges between positions of a word. */
export class Lattices {
  pieces: string[]
  /** Log-probability of each piece. */
  scores: Float64Array
  private words: Graph
  private ofPieces: Graph // segmentations of each piece, including itself
  private readonly times: Float64Array

  constructor(words: ReadonlyMap<string, number>, pieces: string[], scores: Float64Array) {
    this.pieces = pieces
    this.scores = scores
    this.times = Float64Array.from(words.values())
    const table = new PrefixTable(new Map(pieces.map((piece, id) => [piece, id])))
    this.words = makeGraph([...words.keys()], table)
    this.ofPieces = makeGraph(pieces, table)
  }

  /** Removes all other pieces and renumbers the kept ones, which are given in order of their ids. */
  keep(kept: readonly number[]): void {
    const fresh = new Int32Array(this.pieces.length).fill(-1)
    kept.forEach((old, id) => {
      fresh[old] = id
    })
    this.pieces = kept.map((old) => this.pieces[old])
    this.scores = Float64Array.from(kept, (old) => this.scores[old])
    this.words = renumber(this.words, fresh)
    this.ofPieces = renumber(selectWords(this.ofPieces, kept), fresh)
  }

  /** Expected count of each piece in the words, over all segmentations weighted by probability. */
  expectedCounts(): Float64Array {
    const expected = new Float64Array(this.pieces.length)
    const { first, from, to, piece, lengths } = this.words
    this.times.forEach((times, word) => {
      const [start, end] = [first[word], first[word + 1]]
      const before = new Float64Array(lengths[word] + 1).fill(Number.NEGATIVE_INFINITY)
      const after = before.slice()
      before[0] = 0
      after[lengths[word]] = 0
      for (let e = start; e < end; e++) {
        before[to[e]] = logSum(before[to[e]], before[from[e]] + this.scores[piece[e]])
      }
      for (let e = end - 1; e >= start; e--) {
        after[from[e]] = logSum(after[from[e]], after[to[e]] + this.scores[piece[e]])
      }
      const all = after[0]
      if (all === Number.NEGATIVE_INFINITY) return // a character is not in any piece
      for (let e = start; e < end; e++) {
        const share = before[from[e]] + this.scores[piece[e]] + after[to[e]] - all
        expected[piece[e]] += times * Math.exp(share)
      }
    })
    return expected
  }

  /** Count of each piece in the most likely segmentation of the words. */
  bestCounts(): Float64Array {
    const counts = new Float64Array(this.pieces.length)
    this.times.forEach((times, word) => {
      for (const id of this.bestCut(this.words, word, -1)) counts[id] += times
    })
    return counts
  }

  /**
   * The most likely segmentation of a piece into other pieces (empty if there is none), and whether the piece itself is
   * more likely.
   */
  otherCut(piece: number): { single: boolean; others: number[] } {
    const others = this.bestCut(this.ofPieces, piece, piece)
    const score = others.reduce((sum, id) => sum + this.scores[id], 0)
    return { single: others.length === 0 || this.scores[piece] >= score, others }
  }

  private bestCut(graph: Graph, word: number, without: number): number[] {
    const { first, from, to, piece, lengths } = graph
    const length = lengths[word]
    const best = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY)
    const by = new Int32Array(length + 1).fill(-1)
    best[0] = 0
    for (let e = first[word]; e < first[word + 1]; e++) {
      const score = best[from[e]] + this.scores[piece[e]]
      if (piece[e] === without || score <= best[to[e]]) continue
      best[to[e]] = score
      by[to[e]] = e
    }
    const ids: number[] = []
    for (let at = length; at > 0; at = from[by[at]]) {
      if (by[at] < 0) return []
      ids.push(piece[by[at]])
    }
    return ids.reverse()
  }
}

/** Edges of all words. Those of word w are from `first[w]` to `first[w + 1]`, sorted by start. */
interface Graph {
  lengths: Int32Array
  first: Int32Array
  from: Uint16Array
  to: Uint16Array
  piece: Int32Array
}

function makeGraph(words: readonly string[], table: PrefixTable): Graph {
  const first = new Int32Array(words.length + 1)
  const from: number[] = []
  const to: number[] = []
  const piece: number[] = []
  words.forEach((word, w) => {
    const length = Math.min(word.length, MAX_LENGTH)
    for (let start = 0; start < length; start++) {
      table.prefixes(word.slice(0, length), start, (id, end) => {
        from.push(start)
        to.push(end)
        piece.push(id)
      })
    }
    first[w + 1] = piece.length
  })
  return {
    lengths: Int32Array.from(words, (word) => Math.min(word.length, MAX_LENGTH)),
    first,
    from: Uint16Array.from(from),
    to: Uint16Array.from(to),
    piece: Int32Array.from(piece),
  }
}

const MAX_LENGTH = 1000 // units; the rest of a longer word is ignored

function renumber(graph: Graph, fresh: Int32Array): Graph {
  return filterEdges(graph, (edge) => fresh[graph.piece[edge]])
}

function selectWords(graph: Graph, kept: readonly number[]): Graph {
  const first = new Int32Array(kept.length + 1)
  const edges: number[] = []
  kept.forEach((word, w) => {
    for (let e = graph.first[word]; e < graph.first[word + 1]; e++) edges.push(e)
    first[w + 1] = edges.length
  })
  return {
    lengths: Int32Array.from(kept, (word) => graph.lengths[word]),
    first,
    from: Uint16Array.from(edges, (e) => graph.from[e]),
    to: Uint16Array.from(edges, (e) => graph.to[e]),
    piece: Int32Array.from(edges, (e) => graph.piece[e]),
  }
}

/** Renumbers the pieces of edges in place, and removes edges with the new id -1. */
function filterEdges(graph: Graph, idOf: (edge: number) => number): Graph {
  const { first, from, to, piece } = graph
  const starts = new Int32Array(first.length)
  let size = 0
  for (let word = 0; word + 1 < first.length; word++) {
    for (let e = first[word]; e < first[word + 1]; e++) {
      const id = idOf(e)
      if (id < 0) continue
      from[size] = from[e]
      to[size] = to[e]
      piece[size++] = id
    }
    starts[word + 1] = size
  }
  return { ...graph, first: starts, ...trim({ from, to, piece }, size) }
}

function trim(edges: Pick<Graph, 'from' | 'to' | 'piece'>, size: number) {
  return {
    from: edges.from.subarray(0, size),
    to: edges.to.subarray(0, size),
    piece: edges.piece.subarray(0, size),
  }
}

/** log(eᵃ + eᵇ) */
function logSum(a: number, b: number): number {
  const [less, more] = a < b ? [a, b] : [b, a]
  return less === Number.NEGATIVE_INFINITY ? more : more + Math.log1p(Math.exp(less - more))
}
