/** The syntax tree of a JavaScript regular expression with the flag `u`. */
export type PatternNode =
  /** One character of a set. `source` is the expression of the set. */
  | { kind: 'character'; source: string }
  | { kind: 'sequence'; items: PatternNode[]; source: string }
  | { kind: 'choice'; ways: PatternNode[]; source: string }
  | {
      kind: 'repeat'
      body: PatternNode
      least: number
      most: number
      lazy: boolean
      source: string
    }
  | { kind: 'look'; body: PatternNode; behind: boolean; negated: boolean; source: string }

/** Parses a valid expression. Undefined if it has back-references, because then it is not regular. */
export function parsePattern(source: string): PatternNode | undefined {
  try {
    return new Parser(source).choice()
  } catch (error) {
    if (error instanceof NotRegular) return undefined
    throw error
  }
}

class NotRegular extends Error {}

const ATOM =
  /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]|[^()[\]|*+?{}\\]/uy
const GROUP = /\((\?(?::|<?[=!]|<[^>]*>))?/uy
const QUANTIFIER = /([*+?]|\{(\d+)(,(\d*))?\})(\??)/uy

class Parser {
  private readonly source: string
  private at = 0

  constructor(source: string) {
    this.source = source
  }

  choice(): PatternNode {
    const start = this.at
    const ways = [this.sequence()]
    while (this.source[this.at] === '|') {
      this.at++
      ways.push(this.sequence())
    }
    return ways.length === 1 ? ways[0] : { kind: 'choice', ways, source: this.since(start) }
  }

  private sequence(): PatternNode {
    const start = this.at
    const items: PatternNode[] = []
    while (this.at < this.source.length && !'|)'.includes(this.source[this.at]))
      items.push(this.item())
    return items.length === 1 ? items[0] : { kind: 'sequence', items, source: this.since(start) }
  }

  private item(): PatternNode {
    const start = this.at
    const atom = this.source[this.at] === '(' ? this.group() : this.character()
    const [quantifier, sign, least, range, most, lazy] = this.take(QUANTIFIER) ?? []
    if (quantifier === undefined) return atom
    const bounds =
      least === undefined
        ? SIGNS[sign]
        : [Number(least), range === undefined ? Number(least) : most ? Number(most) : Infinity]
    return {
      kind: 'repeat',
      body: atom,
      least: bounds[0],
      most: bounds[1],
      lazy: lazy === '?',
      source: this.since(start),
    }
  }

  private group(): PatternNode {
    const start = this.at
    const [, kind = ''] = this.take(GROUP) ?? []
    const body = this.choice()
    this.at++ // the closing bracket
    if (!/[=!]$/.test(kind)) return body
    const source = this.since(start)
    return { kind: 'look', body, behind: kind.includes('<'), negated: kind.endsWith('!'), source }
  }

  private character(): PatternNode {
    const [source] = this.take(ATOM) ?? []
    if (source === undefined || /^\\[1-9kbB]/.test(source) || source === '^' || source === '$')
      throw new NotRegular()
    return { kind: 'character', source: source === '.' ? '[^\\n\\r\\u2028\\u2029]' : source }
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.source)
    if (match) this.at = pattern.lastIndex
    return match
  }

  private since(start: number): string {
    return this.source.slice(start, this.at)
  }
}

const SIGNS: Record<string, [least: number, most: number]> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
}
