import { HeedError } from '../../util/errors.ts'

/**
 * A nondeterministic finite automaton over bytes (Thompson, 1968), built from fragments. Its size is limited, so that a
 * pattern takes at most a few megabytes.
 */
export class Automaton {
  /** For each state, the transitions by bytes in [low, high]. */
  readonly edges: { low: number; high: number; to: number }[][] = []
  /** For each state, the transitions without a byte. */
  readonly free: number[][] = []
  readonly start: number
  readonly end: number

  constructor(fragment: Fragment) {
    this.start = this.state()
    this.end = this.state()
    fragment(this, this.start, this.end)
  }

  /** Adds a state. */
  state(): number {
    if (this.edges.length === MOST_STATES)
      throw new HeedError(
        'unsupported',
        `A pattern or schema must have at most ${MOST_STATES} states, got a larger one`,
        { remedy: 'Use fewer or shorter repetitions.' },
      )
    this.edges.push([])
    return this.free.push([]) - 1
  }

  /**
   * The minimum number of bytes from each state to the end; infinite if it cannot be reached.
   * @param usable for each byte, whether any token contains it
   */
  distances(usable: readonly boolean[]): Float64Array {
    const open = (low: number, high: number): boolean => usable.slice(low, high + 1).includes(true)
    const back: { from: number; cost: number }[][] = this.edges.map(() => [])
    for (const [from, edges] of this.edges.entries()) {
      for (const { low, high, to } of edges) if (open(low, high)) back[to].push({ from, cost: 1 })
      for (const to of this.free[from]) back[to].push({ from, cost: 0 })
    }
    const distance = new Float64Array(back.length).fill(Number.POSITIVE_INFINITY)
    distance[this.end] = 0
    // Breadth-first search; transitions without a byte stay in the same round.
    for (let round = [this.end], next: number[] = []; round.length > 0; round = next, next = []) {
      for (const to of round)
        for (const { from, cost } of back[to]) {
          if (distance[from] <= distance[to] + cost) continue
          distance[from] = distance[to] + cost
          if (cost === 0) round.push(from)
          else next.push(from)
        }
    }
    return distance
  }
}

const MOST_STATES = 200_000

/** A part of a language, as a function that adds its transitions between two states. It may be called many times. */
export type Fragment = (automaton: Automaton, from: number, to: number) => void

/** Matches the empty text. */
export const empty: Fragment = (automaton, from, to) => void automaton.free[from].push(to)

/** Matches nothing, not even the empty text. */
export const never: Fragment = () => {}

export const byteRange =
  (low: number, high: number): Fragment =>
  (automaton, from, to) =>
    void automaton.edges[from].push({ low, high, to })

export const sequence = (...fragments: readonly Fragment[]): Fragment => sequenceOf(fragments)

/** Like `sequence`, for lists that are too long for arguments. */
export const sequenceOf =
  (fragments: readonly Fragment[]): Fragment =>
  (automaton, from, to) => {
    let at = from
    for (const [i, part] of fragments.entries()) {
      const next = i === fragments.length - 1 ? to : automaton.state()
      part(automaton, at, next)
      at = next
    }
    if (fragments.length === 0) empty(automaton, from, to)
  }

export const either = (...ways: readonly Fragment[]): Fragment => eitherOf(ways)

/** Like `either`, for lists that are too long for arguments. */
export const eitherOf =
  (ways: readonly Fragment[]): Fragment =>
  (automaton, from, to) => {
    for (const way of ways) way(automaton, from, to)
  }

export const optional = (part: Fragment): Fragment => either(part, empty)

/** Matches `part` `least` to `most` times; `most` may be infinite. */
export function repeated(part: Fragment, least: number, most: number): Fragment {
  return (automaton, from, to) => {
    let at = from
    const step = (): number => {
      const next = automaton.state()
      part(automaton, at, next)
      return next
    }
    for (let i = 0; i < least; i++) at = step()
    if (most === Number.POSITIVE_INFINITY) {
      const loop = automaton.state()
      empty(automaton, at, loop)
      part(automaton, loop, loop)
      at = loop
    } else
      for (let i = least; i < most; i++) {
        empty(automaton, at, to)
        at = step()
      }
    empty(automaton, at, to)
  }
}

/** Matches exactly this text. */
export function literal(text: string): Fragment {
  return sequenceOf(Array.from(new TextEncoder().encode(text), (byte) => byteRange(byte, byte)))
}
