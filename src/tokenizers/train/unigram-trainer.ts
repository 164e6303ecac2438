import { Lattices } from './lattices.ts'
import { WordCounts } from './word-counts.ts'

export interface UnigramTrainerOptions {
  /** Number of pieces to keep. */
  size: number
  /** Characters that always remain pieces. */
  characters: readonly string[]
  /** Called after each round with the number of remaining pieces. */
  onPrune?: (pieces: number) => void
}

/**
 * Trains a unigram language model (Kudo, 2018) from words and their counts. It starts with many frequent substrings,
 * estimates their probabilities by expectation maximisation, and prunes a quarter at a time, those with the smallest
 * effect on the likelihood. Returns pieces and their log-probabilities in descending order.
 */
export function trainUnigram(
  texts: ReadonlyMap<string, number>,
  { size, characters, onPrune }: UnigramTrainerOptions,
): [piece: string, score: number][] {
  const words = withoutOthers(texts, new Set(characters))
  const seeds = seedPieces(words, Math.max(10 * size, MIN_SEEDS))
  const pieces = [...new Set([...characters, ...seeds.keys()])]
  const counts = pieces.map((piece) => seeds.get(piece) ?? 1)
  const lattices = new Lattices(words, pieces, logShares(counts))
  const needed = Math.floor(size * SPARE)
  for (;;) {
    for (let i = 0; i < ROUNDS; i++) improve(lattices)
    onPrune?.(lattices.pieces.length)
    if (lattices.pieces.length <= needed) break
    const least = Math.max(needed, Math.floor(lattices.pieces.length * KEPT_SHARE))
    const kept = choosePieces(lattices, least)
    if (kept.length === lattices.pieces.length) break
    lattices.keep(kept)
  }
  return finish(lattices, size, characters)
}

const MIN_SEEDS = 20_000
const LONGEST = 16 // characters
const MAX_SUBSTRINGS = 4_000_000
const ROUNDS = 2
const SPARE = 1.1
const KEPT_SHARE = 0.75
const MIN_EXPECTED = 0.5

/** Splits words at characters that are not in the set. */
function withoutOthers(
  words: ReadonlyMap<string, number>,
  characters: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const out = new Map<string, number>()
  for (const [word, times] of words) {
    const stretches = Array.from(word, (c) => (characters.has(c) ? c : '\0'))
      .join('')
      .split('\0')
    for (const text of stretches) if (text !== '') out.set(text, (out.get(text) ?? 0) + times)
  }
  return new Map([...out].sort(([a], [b]) => (a < b ? -1 : 1))) // a fixed order makes sums independent of the order of texts
}

/** Frequent substrings of words with the number of units that they cover, in descending order. */
function seedPieces(words: ReadonlyMap<string, number>, limit: number): Map<string, number> {
  const substrings = new WordCounts((word) => [word], MAX_SUBSTRINGS)
  for (const [word, times] of words) {
    const characters = Array.from(word)
    for (let from = 0; from < characters.length; from++) {
      let piece = ''
      for (let to = from; to < Math.min(characters.length, from + LONGEST); to++) {
        piece += characters[to]
        substrings.count(piece, times)
      }
    }
    substrings.bound()
  }
  const covered = [...substrings.words]
    .filter(([, count]) => count > 1)
    .map(([piece, count]) => [piece, count * piece.length] as const)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return new Map(covered.slice(0, limit))
}

function logShares(counts: readonly number[]): Float64Array {
  const total = Math.log(counts.reduce((sum, count) => sum + count, 0))
  return Float64Array.from(counts, (count) => Math.log(count) - total)
}

/** One round of expectation maximisation. Pieces with a low expected count are removed. */
function improve(lattices: Lattices): void {
  const expected = lattices.expectedCounts()
  const kept: number[] = []
  expected.forEach((count, piece) => {
    if (count >= MIN_EXPECTED) kept.push(piece)
  })
  lattices.keep(kept)
  // a Dirichlet prior (Bayesian EM) instead of relative counts lowers rare pieces
  const total = digamma(kept.reduce((sum, piece) => sum + expected[piece], 0))
  lattices.scores = Float64Array.from(kept, (piece) => digamma(expected[piece]) - total)
}

/** The pieces with the largest effect on the likelihood, about `least` of them. */
function choosePieces(lattices: Lattices, least: number): number[] {
  const frequency = lattices.bestCounts()
  const sum = frequency.reduce((a, b) => a + b, 0)
  const kept: number[] = []
  const doubtful: { piece: number; loss: number }[] = []
  lattices.pieces.forEach((_, piece) => {
    const { single, others } = lattices.otherCut(piece)
    if (others.length === 0)
      kept.push(piece) // it has no other segmentation
    else if (single && frequency[piece] > 0) {
      const count = frequency[piece]
      const without = Math.log(sum + count * (others.length - 1))
      const other = others.reduce((p, id) => p + Math.log(frequency[id] + count) - without, 0)
      doubtful.push({ piece, loss: count * (Math.log(count) - Math.log(sum) - other) })
    }
  })
  doubtful.sort((a, b) => b.loss - a.loss || a.piece - b.piece)
  for (const { piece } of doubtful.slice(0, Math.max(0, least - kept.length))) kept.push(piece)
  return kept.sort((a, b) => a - b)
}

/** All characters, then the most likely pieces. Characters that were pruned get the lowest probability. */
function finish(
  lattices: Lattices,
  size: number,
  characters: readonly string[],
): [string, number][] {
  const scores = new Map(lattices.pieces.map((piece, i) => [piece, lattices.scores[i]]))
  let least = lattices.scores.reduce((a, b) => Math.min(a, b), 0)
  const chosen = new Map(characters.map((c) => [c, scores.get(c) ?? (least -= 1e-4)]))
  for (const [piece, score] of [...scores].sort(byScore)) {
    if (chosen.size >= size) break
    if (!chosen.has(piece)) chosen.set(piece, score)
  }
  return [...chosen].sort(byScore)
}

function byScore([a, x]: readonly [string, number], [b, y]: readonly [string, number]): number {
  return y - x || (a < b ? -1 : 1)
}

/** d/dx log Γ(x), for x > 0: recurrence up to 7, then the asymptotic series. */
function digamma(value: number): number {
  let x = value
  let result = 0
  for (; x < 7; x++) result -= 1 / x
  const y = 1 / (x * x)
  return result + Math.log(x) - 0.5 / x - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)))
}
