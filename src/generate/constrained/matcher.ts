import { HeedError } from '../../util/errors.ts'
import { Automaton, type Fragment } from './automaton.ts'

/**
 * The deterministic automaton of a language, with states that are built when a text reaches them (subset construction;
 * Rabin and Scott, 1959). A transition is a table look-up.
 */
export class Matcher {
  readonly start: number
  private readonly automaton: Automaton
  private readonly distances: Float64Array
  private readonly states: State[] = []
  private readonly ids = new Map<string, number>()
  private members = 0

  /** @param usable for each byte, whether any token contains it; by default all bytes */
  constructor(language: Fragment, usable: readonly boolean[] = new Array(256).fill(true)) {
    this.automaton = new Automaton(language)
    this.distances = this.automaton.distances(usable)
    this.start = this.stateOf([this.automaton.start])
    if (this.start === NOWHERE)
      throw new HeedError('invalid-option', 'A pattern or schema must match some text, got none', {
        remedy:
          'Check it for contradictions, and check that the vocabulary has the characters it needs.',
      })
    if (this.accepts(this.start) && !this.goesOn(this.start))
      throw new HeedError(
        'invalid-option',
        'A pattern or schema must match a text of at least one character, got only the empty text',
        { remedy: 'Omit the pattern, or let it match more.' },
      )
  }

  /** The state after a byte; NOWHERE if no text of the language continues with this byte. */
  next(state: number, byte: number): number {
    const { table } = this.states[state]
    if (table[byte] === UNKNOWN) table[byte] = this.follow(state, byte)
    return table[byte]
  }

  /** Whether the text so far is complete. */
  accepts(state: number): boolean {
    return this.states[state].distance === 0
  }

  /** Whether the text can be continued. */
  goesOn(state: number): boolean {
    return this.states[state].set.some((member) => this.automaton.edges[member].length > 0)
  }

  /** The minimum number of bytes that complete the text. */
  distance(state: number): number {
    return this.states[state].distance
  }

  private follow(state: number, byte: number): number {
    const reached: number[] = []
    for (const member of this.states[state].set)
      for (const { low, high, to } of this.automaton.edges[member])
        if (low <= byte && byte <= high) reached.push(to)
    return this.stateOf(reached)
  }

  private stateOf(reached: number[]): number {
    const members = new Set<number>()
    const waiting = reached
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (members.has(next) || this.distances[next] === Number.POSITIVE_INFINITY) continue
      members.add(next)
      for (const reached of this.automaton.free[next]) waiting.push(reached)
    }
    if (members.size === 0) return NOWHERE
    const { edges, end } = this.automaton
    const useful = [...members].filter((member) => member === end || edges[member].length > 0)
    const set = Int32Array.from(useful).sort()
    const key = set.join()
    const known = this.ids.get(key)
    if (known !== undefined) return known
    this.members += set.length
    if (this.states.length === MOST_STATES || this.members > MOST_MEMBERS)
      throw new HeedError('unsupported', 'The pattern or schema has too many states', {
        remedy: 'Shorten its repetitions, or make its alternatives differ earlier.',
      })
    const distance = set.reduce(
      (least, member) => Math.min(least, this.distances[member]),
      Number.POSITIVE_INFINITY,
    )
    const id = this.states.push({ set, distance, table: new Int32Array(256).fill(UNKNOWN) }) - 1
    this.ids.set(key, id)
    return id
  }
}

interface State {
  /** The states of the nondeterministic automaton that a text may have reached. */
  set: Int32Array
  distance: number
  /** For each byte, the next state. */
  table: Int32Array
}

export const NOWHERE = -1
const UNKNOWN = -2
const MOST_STATES = 50_000
const MOST_MEMBERS = 20_000_000
