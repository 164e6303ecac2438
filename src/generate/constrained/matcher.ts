import { HeedError } from '../../util/errors.ts'
import { Automaton, type Fragment } from './automaton.ts'

/**
 * The deterministic automaton of a language, made state by state as texts reach them (Rabin and
 * Scott, 1959): following a byte is a look-up, and nothing is ever tried twice.
 */
export class Matcher {
  readonly start: number
  private readonly automaton: Automaton
  private readonly distances: Float64Array
  private readonly states: State[] = []
  private readonly ids = new Map<string, number>()
  private members = 0

  /** @param usable for each byte, whether it can be written; default: all can */
  constructor(language: Fragment, usable: readonly boolean[] = new Array(256).fill(true)) {
    this.automaton = new Automaton(language)
    this.distances = this.automaton.distances(usable)
    this.start = this.stateOf([this.automaton.start])
    if (this.start === NOWHERE)
      throw new HeedError('invalid-option', 'No text fits this pattern or schema', {
        remedy: 'It contradicts itself, or the vocabulary lacks characters that it needs.',
      })
  }

  /** The state behind a byte, NOWHERE if no text of the language goes on so. */
  next(state: number, byte: number): number {
    const { table } = this.states[state]
    if (table[byte] === UNKNOWN) table[byte] = this.follow(state, byte)
    return table[byte]
  }

  /** Whether the text so far is whole. */
  accepts(state: number): boolean {
    return this.states[state].distance === 0
  }

  /** Whether a longer text is in the language too. */
  goesOn(state: number): boolean {
    return this.states[state].set.some((one) => this.automaton.edges[one].length > 0)
  }

  /** The least number of bytes that make the text whole. */
  distance(state: number): number {
    return this.states[state].distance
  }

  private follow(state: number, byte: number): number {
    const reached: number[] = []
    for (const one of this.states[state].set)
      for (const { low, high, to } of this.automaton.edges[one])
        if (low <= byte && byte <= high) reached.push(to)
    return this.stateOf(reached)
  }

  private stateOf(reached: number[]): number {
    const seen = new Set<number>()
    const waiting = reached
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      if (seen.has(one) || this.distances[one] === Number.POSITIVE_INFINITY) continue
      seen.add(one)
      waiting.push(...this.automaton.free[one])
    }
    if (seen.size === 0) return NOWHERE
    const { edges, end } = this.automaton
    const useful = [...seen].filter((one) => one === end || edges[one].length > 0)
    const set = Int32Array.from(useful).sort()
    const key = set.join()
    const known = this.ids.get(key)
    if (known !== undefined) return known
    this.members += set.length
    if (this.states.length === MOST_STATES || this.members > MOST_MEMBERS)
      throw new HeedError(
        'invalid-option',
        'The pattern or schema has too many states to be followed',
        {
          remedy: 'Make its alternatives differ earlier, or its repetitions shorter.',
        },
      )
    const distance = set.reduce(
      (least, one) => Math.min(least, this.distances[one]),
      Number.POSITIVE_INFINITY,
    )
    const id = this.states.push({ set, distance, table: new Int32Array(256).fill(UNKNOWN) }) - 1
    this.ids.set(key, id)
    return id
  }
}

interface State {
  /** States of the nondeterministic automaton, any of which the text may have reached. */
  set: Int32Array
  distance: number
  /** For each byte, the state behind it. */
  table: Int32Array
}

export const NOWHERE = -1
const UNKNOWN = -2
const MOST_STATES = 50_000
const MOST_MEMBERS = 20_000_000
