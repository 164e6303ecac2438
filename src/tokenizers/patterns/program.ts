import type { PatternNode } from './syntax.ts'

/** An instruction of a matcher. `next` is the index of the next one. */
export type Instruction =
  | { kind: 'character'; set: CharacterSet; backwards: boolean; next: number }
  /** Tries `first`, then `second`. `mark` is the index among these instructions. */
  | { kind: 'split'; first: number; second: number; mark: number }
  | { kind: 'look'; start: number; negated: boolean; next: number }
  | { kind: 'match' }

export interface Program {
  instructions: Instruction[]
  start: number
  /** Number of instructions that try two alternatives. */
  splits: number
  /** Possible first characters of matches; undefined if a match can be empty. */
  first: RegExp | undefined
}

const MOST_INSTRUCTIONS = 2_000

/** Compiles a pattern to a program (Thompson, 1968); undefined if it is too long. */
export function compileProgram(pattern: PatternNode): Program | undefined {
  const compiler = new Compiler()
  const start = compiler.compile(pattern, compiler.add({ kind: 'match' }), false)
  const { instructions, splits } = compiler
  if (instructions.length > MOST_INSTRUCTIONS) return undefined
  const sources = firstCharacters(pattern)
  const first = sources && new RegExp([...new Set(sources)].join('|'), 'gu')
  return { instructions, start, splits, first }
}

/** Sets that together contain the first character of every match; undefined if a match can be empty. */
function firstCharacters(node: PatternNode): string[] | undefined {
  if (node.kind === 'character') return [node.source]
  if (node.kind === 'choice') {
    const ways = node.ways.map(firstCharacters)
    return ways.includes(undefined) ? undefined : ways.flatMap((sources) => sources ?? [])
  }
  if (node.kind === 'repeat') return node.least > 0 ? firstCharacters(node.body) : undefined
  if (node.kind === 'look') return undefined
  const all: string[] = []
  for (const item of node.items) {
    const sources = firstCharacters(item)
    if (sources) return [...all, ...sources]
    if (item.kind === 'look') continue
    const inner = item.kind === 'repeat' && firstCharacters(item.body)
    if (!inner) return undefined
    for (const source of inner) all.push(source)
  }
  return undefined
}

class Compiler {
  readonly instructions: Instruction[] = []
  splits = 0
  private readonly sets = new Map<string, CharacterSet>()

  add(instruction: Instruction): number {
    return this.instructions.push(instruction) - 1
  }

  /** Compiles a node, followed by instruction `next`. Returns the index of its first instruction. */
  compile(node: PatternNode, next: number, backwards: boolean): number {
    if (this.instructions.length > MOST_INSTRUCTIONS) return next // it will be rejected
    if (node.kind === 'character')
      return this.add({ kind: 'character', set: this.setOf(node.source), backwards, next })
    if (node.kind === 'sequence') {
      const items = backwards ? node.items : node.items.toReversed()
      return items.reduce((after, item) => this.compile(item, after, backwards), next)
    }
    if (node.kind === 'choice')
      return node.ways
        .map((way) => this.compile(way, next, backwards))
        .reduceRight((second, first) => this.split(first, second))
    if (node.kind === 'repeat') return this.repeat(node, next, backwards)
    const start = this.compile(node.body, this.add({ kind: 'match' }), node.behind)
    return this.add({ kind: 'look', start, negated: node.negated, next })
  }

  private repeat(
    { body, least, most, lazy }: Extract<PatternNode, { kind: 'repeat' }>,
    next: number,
    backwards: boolean,
  ): number {
    let start = next
    const optional = (first: number, after: number): number =>
      lazy ? this.split(after, first) : this.split(first, after)
    if (most === Number.POSITIVE_INFINITY) {
      const split = this.split(-1, next)
      const first = this.compile(body, split, backwards)
      const instruction = this.instructions[split]
      if (instruction.kind === 'split') {
        instruction.first = lazy ? next : first
        instruction.second = lazy ? first : next
      }
      start = split
    } else
      for (let i = least; i < most && this.instructions.length <= MOST_INSTRUCTIONS; i++)
        start = optional(this.compile(body, start, backwards), next)
    for (let i = 0; i < least && this.instructions.length <= MOST_INSTRUCTIONS; i++)
      start = this.compile(body, start, backwards)
    return start
  }

  private split(first: number, second: number): number {
    return this.add({ kind: 'split', first, second, mark: this.splits++ })
  }

  private setOf(source: string): CharacterSet {
    const set = this.sets.get(source) ?? new CharacterSet(source)
    this.sets.set(source, set)
    return set
  }
}

/** A set of characters that caches lookups. */
export class CharacterSet {
  private readonly pattern: RegExp
  private readonly ascii = new Uint8Array(128)
  private readonly others = new Map<number, boolean>()

  constructor(source: string) {
    this.pattern = new RegExp(`^(?:${source})$`, 'u')
    for (let code = 0; code < 128; code++)
      this.ascii[code] = this.pattern.test(String.fromCharCode(code)) ? 1 : 0
  }

  has(code: number): boolean {
    if (code < 128) return this.ascii[code] === 1
    const known = this.others.get(code)
    if (known !== undefined) return known
    const contains = this.pattern.test(String.fromCodePoint(code))
    this.others.set(code, contains)
    return contains
  }
}
