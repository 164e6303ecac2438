import { SPACE, stripRight } from './characters.ts'
import { fail } from './failure.ts'
import { quoted } from './repr.ts'
import { stringLiteral } from './string-literal.ts'

export type TokenType =
  | 'data'
  | 'block_begin'
  | 'block_end'
  | 'variable_begin'
  | 'variable_end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'eof'

export interface Token {
  type: TokenType
  /** Text of the token; for strings, without quotes and escapes. */
  value: string
  line: number
}

/** Tokenizes a template with `trim_blocks` and `lstrip_blocks`, like transformers. */
export function tokenize(source: string): Token[] {
  return new Lexer(source.replace(/\r\n?/g, '\n').replace(/\n$/, '')).all()
}

const OPENING = /\{(?:([%{#])([-+]?))/g
const RAW = new RegExp(`\\{%([-+]?)[${SPACE}]*raw[${SPACE}]*(?:-%\\}[${SPACE}]*|%\\})`, 'y')
const END_RAW = new RegExp(
  `\\{%([-+]?)[${SPACE}]*endraw[${SPACE}]*(?:\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?)`,
  'g',
)
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}[${SPACE}]*|#\\}\\n?`, 'g')
const END_BLOCK = new RegExp(`\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?`, 'y')
const END_VARIABLE = new RegExp(`-\\}\\}[${SPACE}]*|\\}\\}`, 'y')
const ONLY_SPACE = new RegExp(`^[${SPACE}]+$`)
const IS_NAME = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u

const RULES: readonly { type: Exclude<TokenType, 'eof'> | 'space'; pattern: RegExp }[] = [
  { type: 'space', pattern: new RegExp(`[${SPACE}]+`, 'y') },
  {
    type: 'float',
    pattern: /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy,
  },
  {
    type: 'integer',
    pattern: /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy,
  },
  { type: 'name', pattern: /[\p{Alphabetic}\p{M}\p{N}\p{Pc}·]+/uy },
  { type: 'string', pattern: /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/sy },
  { type: 'operator', pattern: /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y },
]

const CLOSING: Record<string, string> = { '{': '}', '(': ')', '[': ']' }

class Lexer {
  private readonly source: string
  private readonly tokens: Token[] = []
  private at = 0
  private line = 1
  /** Whether the last tag ended with a line break. */
  private lineStarts = true

  constructor(source: string) {
    this.source = source
  }

  all(): Token[] {
    while (this.at < this.source.length) this.data()
    this.add('eof', '')
    return this.tokens
  }

  /** Reads text up to the next tag, and the tag. */
  private data(): void {
    const { source } = this
    OPENING.lastIndex = this.at
    const opening = OPENING.exec(source)
    if (!opening) {
      this.text(source.slice(this.at))
      this.at = source.length
      return
    }
    const [tag, kind, sign] = opening
    RAW.lastIndex = opening.index
    const raw = kind === '%' ? RAW.exec(source) : null
    this.text(
      this.beforeTag(source.slice(this.at, opening.index), raw ? raw[1] : sign, kind === '{'),
    )
    this.at = opening.index
    if (raw) this.raw(raw[0])
    else if (kind === '#') this.comment(tag)
    else this.tag(tag, kind === '%')
  }

  private beforeTag(text: string, sign: string, isVariable: boolean): string {
    if (sign === '-') return stripRight(text)
    if (sign === '+' || isVariable) return text
    const start = text.lastIndexOf('\n') + 1
    const strips = (start > 0 || this.lineStarts) && ONLY_SPACE.test(text.slice(start))
    return strips ? text.slice(0, start) : text
  }

  private raw(opening: string): void {
    this.skip(opening)
    END_RAW.lastIndex = this.at
    const end = END_RAW.exec(this.source)
    if (!end) {
      this.unended('raw directive')
      return
    }
    const body = this.source.slice(this.at, end.index)
    this.text(this.beforeTag(body, end[1], false))
    this.at = end.index
    this.skip(end[0])
  }

  private comment(opening: string): void {
    this.skip(opening)
    END_COMMENT.lastIndex = this.at
    const end = END_COMMENT.exec(this.source)
    if (!end) {
      this.unended('comment tag')
      return
    }
    this.skip(this.source.slice(this.at, end.index + end[0].length))
  }

  /** Like Jinja, reports nothing at the end of the source. */
  private unended(what: string): void {
    if (this.at < this.source.length) fail('TemplateSyntaxError', `Missing end of ${what}`)
  }

  private tag(opening: string, isBlock: boolean): void {
    this.add(isBlock ? 'block_begin' : 'variable_begin', opening)
    this.skip(opening)
    const end = isBlock ? END_BLOCK : END_VARIABLE
    const open: string[] = []
    while (this.at < this.source.length) {
      end.lastIndex = this.at
      const ending = open.length === 0 ? end.exec(this.source) : null
      if (ending) {
        this.add(isBlock ? 'block_end' : 'variable_end', ending[0])
        this.skip(ending[0])
        return
      }
      this.token(open)
    }
  }

  private token(open: string[]): void {
    for (const { type, pattern } of RULES) {
      pattern.lastIndex = this.at
      const text = pattern.exec(this.source)?.[0]
      if (text === undefined) continue
      if (type === 'operator') balance(open, text)
      if (type === 'name' && !IS_NAME.test(text))
        fail('TemplateSyntaxError', 'Invalid character in identifier')
      if (type === 'string') this.add(type, stringLiteral(text.slice(1, -1)))
      else if (type !== 'space') this.add(type, text)
      this.skip(text)
      return
    }
    const character = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0)
    fail('TemplateSyntaxError', `unexpected char ${quoted(character)} at ${this.at}`)
  }

  private text(text: string): void {
    if (text) this.add('data', text)
    this.countLines(text)
  }

  private skip(text: string): void {
    this.at += text.length
    this.lineStarts = text.endsWith('\n')
    this.countLines(text)
  }

  private add(type: TokenType, value: string): void {
    this.tokens.push({ type, value, line: this.line })
  }

  private countLines(text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.line++
  }
}

/** Checks that brackets are balanced, so that the `}}` of a dictionary does not end the tag. */
function balance(open: string[], operator: string): void {
  if (CLOSING[operator]) open.push(CLOSING[operator])
  else if (operator === '}' || operator === ')' || operator === ']') {
    const expected = open.pop()
    if (expected === undefined) fail('TemplateSyntaxError', `unexpected '${operator}'`)
    if (expected !== operator)
      fail('TemplateSyntaxError', `unexpected '${operator}', expected '${expected}'`)
  }
}
