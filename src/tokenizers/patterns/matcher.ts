import type { Program } from './program.ts'

const STEPS_PER_CHARACTER = 1_500
const FEWEST_CHARACTERS = 20_000 // up to this length, the maximum number of steps takes less than a second

/**
 * Finds the matches of a program in a text with the results of a backtracking matcher, but tries each instruction at
 * each position only once, because it would fail there again (bounded backtracking, as in RE2).
 */
export class Matcher {
  private readonly program: Program
  private readonly text: string
  private readonly tooSlow: () => Error
  /** For each position and split, whether it has been tried. */
  private readonly tried: Uint8Array
  private readonly rowBytes: number
  private stepsLeft: number

  constructor(program: Program, text: string, tooSlow: () => Error) {
    this.program = program
    this.text = text
    this.tooSlow = tooSlow
    this.rowBytes = (program.splits + 7) >> 3
    const bytes = this.rowBytes * (text.length + 1)
    if (bytes > MOST_BYTES) throw tooSlow()
    this.tried = new Uint8Array(bytes)
    this.stepsLeft = STEPS_PER_CHARACTER * Math.max(text.length, FEWEST_CHARACTERS)
  }

  /** Yields the matches, starting at a position. */
  *all(from = 0): Generator<[start: number, end: number]> {
    const { text } = this
    for (let start = this.candidate(from); start <= text.length; start = this.candidate(start)) {
      const end = this.run(this.program.start, start, this.tried)
      if (end < 0) start = this.after(start)
      else {
        yield [start, end]
        // States that succeeded at the end of this match may succeed again for the next match.
        this.tried.fill(0, end * this.rowBytes, (end + 1) * this.rowBytes)
        start = end > start ? end : this.after(end)
      }
    }
  }

  /** The next position where a match may start; beyond the end of the text if there is none. */
  private candidate(from: number): number {
    const { first } = this.program
    if (!first || from > this.text.length) return from
    first.lastIndex = from
    return first.exec(this.text)?.index ?? this.text.length + 1
  }

  /** The end of the preferred match at a position, or -1. */
  private run(start: number, place: number, tried: Uint8Array | Set<number>): number {
    const { instructions } = this.program
    const open = [start, place]
    while (open.length > 0) {
      let at = open.pop() ?? 0
      let pc = open.pop() ?? 0
      for (;;) {
        if (--this.stepsLeft < 0) throw this.tooSlow()
        const instruction = instructions[pc]
        if (instruction.kind === 'match') return at
        if (instruction.kind === 'split') {
          if (this.isTried(tried, at, instruction.mark)) break
          open.push(instruction.second, at)
          pc = instruction.first
        } else if (instruction.kind === 'look') {
          const holds = this.run(instruction.start, at, new Set()) >= 0
          if (holds === instruction.negated) break
          pc = instruction.next
        } else {
          const { set, backwards, next } = instruction
          const code = backwards ? this.before(at) : this.text.codePointAt(at)
          if (code === undefined || !set.has(code)) break
          at += (code > 0xffff ? 2 : 1) * (backwards ? -1 : 1)
          pc = next
        }
      }
    }
    return -1
  }

  private isTried(tried: Uint8Array | Set<number>, at: number, mark: number): boolean {
    const byte = at * this.rowBytes + (mark >> 3)
    const bit = 1 << (mark & 7)
    if (tried instanceof Set) {
      this.stepsLeft -= STEPS_PER_ENTRY
      const key = byte * 8 + (mark & 7)
      const known = tried.has(key)
      tried.add(key)
      return known
    }
    const known = (tried[byte] & bit) !== 0
    tried[byte] |= bit
    return known
  }

  /** The character that ends at a position. */
  private before(at: number): number | undefined {
    if (at === 0) return undefined
    const pair = at > 1 ? this.text.codePointAt(at - 2) : undefined
    return pair !== undefined && pair > 0xffff ? pair : this.text.charCodeAt(at - 1)
  }

  private after(at: number): number {
    return at + ((this.text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
  }
}

const STEPS_PER_ENTRY = 10
const MOST_BYTES = 1 << 28
