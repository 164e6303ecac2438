import { HeedError } from '../../util/errors.ts'
import { eitherOf, empty, type Fragment, repeated, sequenceOf } from './automaton.ts'
import { complement, oneOf, type Ranges, union } from './characters.ts'

/**
 * The language of the texts that match a regular expression as a whole. Supported JavaScript syntax: literals, `.`,
 * classes, groups, `|`, `* + ? {n} {n,} {n,m}`. Back-references and look-around are refused, as they are not regular.
 * @param write returns the fragment for one character of a set; by default its UTF-8 bytes
 * @throws HeedError for unsupported syntax
 */
export function regexFragment(pattern: string, write = oneOf): Fragment {
  return new Parser(pattern, write).parse()
}

const MOST_CHARACTERS = 10_000
const DEEPEST = 100
const MOST_REPEATS = 10_000

const DIGITS: Ranges = [[0x30, 0x39]]
const WORD: Ranges = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]] // biome-ignore format: one line
const SPACE: Ranges = [[9, 13], [32, 32], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]] // biome-ignore format: one line
const LINE_ENDS: Ranges = [[10, 10], [13, 13], [0x2028, 0x2029]] // biome-ignore format: one line
const CLASSES: Record<string, Ranges> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
}
const CONTROLS: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 }

class Parser {
  private readonly pattern: string
  private readonly characters: string[]
  private readonly write: (ranges: Ranges) => Fragment
  private at = 0
  private depth = 0

  constructor(pattern: string, write: (ranges: Ranges) => Fragment) {
    this.pattern = pattern
    this.characters = Array.from(pattern)
    this.write = write
    if (this.characters.length > MOST_CHARACTERS)
      throw new HeedError(
        'invalid-option',
        `A regular expression must have at most ${MOST_CHARACTERS} characters, got ${this.characters.length}`,
        { remedy: 'Shorten it.' },
      )
  }

  parse(): Fragment {
    const all = this.alternatives()
    if (this.at < this.characters.length) this.fail(`'${this.peek()}' must have a counterpart`)
    return all
  }

  private alternatives(): Fragment {
    if (++this.depth > DEEPEST) this.fail(`groups must be nested at most ${DEEPEST} deep`)
    const ways = [this.run()]
    while (this.take('|')) ways.push(this.run())
    this.depth--
    return ways.length === 1 ? ways[0] : eitherOf(ways)
  }

  private run(): Fragment {
    const items: Fragment[] = []
    for (
      let next = this.peek();
      next !== undefined && next !== '|' && next !== ')';
      next = this.peek()
    )
      items.push(this.quantified(this.item()))
    return sequenceOf(items)
  }

  private item(): Fragment {
    const character = this.next()
    if (character === '(') return this.group()
    if (character === '[') return this.write(this.class())
    if (character === '.') return this.write(complement(LINE_ENDS))
    if (character === '\\') return this.write(this.escaped())
    // The whole text is matched anyway, so anchors at its ends have no effect.
    if (character === '^' && this.at === 1) return empty
    if (character === '$' && this.at === this.characters.length) return empty
    if ('^$*+?{}]'.includes(character)) this.fail(`'${character}' must be escaped here`)
    return this.write(just(character))
  }

  private group(): Fragment {
    if (this.take('?') && !this.take(':')) {
      if (!this.take('<') || '=!'.includes(this.peek() ?? '='))
        this.fail('groups must be plain, without look-around')
      while (this.next() !== '>');
    }
    const inner = this.alternatives()
    if (!this.take(')')) this.fail("a group must end with ')'")
    return inner
  }

  private quantified(part: Fragment): Fragment {
    const bounds = this.bounds()
    if (!bounds) return part
    this.take('?') // a lazy quantifier has the same language
    if ('*+?{'.includes(this.peek() ?? ' ')) this.fail('a quantifier must not follow another')
    return repeated(part, ...bounds)
  }

  private bounds(): [number, number] | null {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.take('?')) return [0, 1]
    if (!this.take('{')) return null
    let text = ''
    while (!this.take('}')) text += this.next()
    const match = /^(\d+)(,(\d*))?$/.exec(text)
    if (!match) this.fail(`{${text}} must be a quantifier such as {2,5}`)
    const least = Number(match[1])
    const most =
      match[2] === undefined ? least : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    if (
      least > most ||
      least > MOST_REPEATS ||
      (most > MOST_REPEATS && most !== Number.POSITIVE_INFINITY)
    )
      this.fail(`{${text}} must be in ascending order and at most ${MOST_REPEATS}`)
    return [least, most]
  }

  private class(): Ranges {
    const negated = this.take('^')
    const ranges: (readonly [number, number])[] = []
    while (!this.take(']')) {
      const first = this.classItem()
      const ranged = this.peek() === '-' && this.characters[this.at + 1] !== ']'
      if (!ranged) ranges.push(...first)
      else {
        this.next()
        const last = this.classItem()
        const [low, high] = [first[0][0], last[0][0]]
        const single = [first, last].every((set) => set.length === 1 && set[0][0] === set[0][1])
        if (!single || low > high) this.fail('a range in a class must be in ascending order')
        ranges.push([low, high])
      }
    }
    return negated ? complement(ranges) : union(ranges)
  }

  private classItem(): Ranges {
    const character = this.next()
    if (character !== '\\') return just(character)
    if (this.take('b')) return [[8, 8]]
    return this.escaped()
  }

  private escaped(): Ranges {
    const character = this.next()
    if (Object.hasOwn(CLASSES, character)) return CLASSES[character]
    if (character === 'x') return point(this.hex(2))
    if (character === 'u') return point(this.take('{') ? this.braced() : this.hex(4))
    if (Object.hasOwn(CONTROLS, character)) return point(CONTROLS[character])
    if (/[\p{L}\p{N}]/u.test(character)) this.fail(`\\${character} is not known`)
    return just(character)
  }

  private braced(): number {
    let text = ''
    while (!this.take('}')) text += this.next()
    const value = /^[\da-f]{1,6}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN
    if (!(value <= 0x10ffff)) this.fail(`\\u{${text}} must be a character`)
    return value
  }

  private hex(digits: number): number {
    let text = ''
    for (let i = 0; i < digits; i++) text += this.next()
    if (!/^[\da-f]+$/i.test(text)) this.fail(`'${text}' must be ${digits} hexadecimal digits`)
    return Number.parseInt(text, 16)
  }

  private peek(): string | undefined {
    return this.characters[this.at]
  }

  private next(): string {
    if (this.at === this.characters.length) this.fail('the end is missing')
    return this.characters[this.at++]
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false
    this.at++
    return true
  }

  private fail(reason: string): never {
    throw new HeedError(
      'unsupported',
      `The regular expression ${this.pattern.slice(0, 80)} is not supported: ${reason} (at character ${this.at})`,
      { remedy: 'Use literals, classes, groups, alternatives and repetitions.' },
    )
  }
}

const just = (character: string): Ranges => point(character.codePointAt(0) as number)

const point = (code: number): Ranges => [[code, code]]
