import { HeedError } from '../../util/errors.ts'
import { quote } from './file-error.ts'

/** A JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject
/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue }

/**
 * Parses JSON like `JSON.parse`, with three differences: errors name `source`, line and column; a `__proto__` key with
 * an object is rejected, because it could pollute prototypes; NaN, Infinity and -Infinity, which Python writes, are
 * accepted. `strict` is for untrusted headers: it rejects these numbers, any `__proto__` key and duplicate keys.
 * @throws HeedError
 */
export function parseJson(
  text: string,
  source: string,
  options: { strict?: boolean } = {},
): JsonValue {
  return new Parser(text, source, options.strict ?? false).document()
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_DEPTH = 256 // deeper than any config, and safe for the call stack
const WORDS: Record<string, null | boolean> = { true: true, false: false, null: null }
const NON_FINITE: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const QUOTE = 34
const BACKSLASH = 92
const WORD = /-?[A-Za-z]+/y

class Parser {
  private readonly text: string
  private readonly source: string
  private readonly strict: boolean
  private at = 0
  private depth = 0

  constructor(text: string, source: string, strict: boolean) {
    this.text = text
    this.source = source
    this.strict = strict
  }

  document(): JsonValue {
    this.skipSpace()
    if (this.at === this.text.length) this.fail('the text is empty')
    const value = this.value()
    this.skipSpace()
    if (this.at < this.text.length) this.fail(`${this.here()} after the end of the value`)
    return value
  }

  private value(): JsonValue {
    const char = this.text[this.at]
    if (char === '"') return this.string()
    if (char === '{') return this.nested(() => this.object())
    if (char === '[') return this.nested(() => this.array())
    return this.number() ?? this.word()
  }

  private nested<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) this.fail(`values are nested more than ${MAX_DEPTH} levels deep`)
    this.at++ // the bracket
    const value = parse()
    this.depth--
    return value
  }

  private object(): JsonObject {
    const object: JsonObject = {}
    if (this.closes('}')) return object
    do {
      this.skipSpace()
      const start = this.at
      if (this.text[start] !== '"')
        this.fail(`expected a key in double quotes, found ${this.here()}`)
      const key = this.string()
      if (this.strict && Object.hasOwn(object, key))
        this.fail(`the key ${quote(key)} appears twice`, start)
      this.skipSpace()
      this.expect(':')
      this.skipSpace()
      this.define(object, key, this.value(), start)
    } while (this.continues('}'))
    return object
  }

  private define(object: JsonObject, key: string, value: JsonValue, start: number): void {
    if (key !== '__proto__') {
      object[key] = value
      return
    }
    // A vocabulary may map the token "__proto__" to a number, which is harmless.
    if (this.strict || typeof value === 'object')
      this.fail('the key "__proto__" is not allowed', start)
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }

  private array(): JsonValue[] {
    const array: JsonValue[] = []
    if (this.closes(']')) return array
    do {
      this.skipSpace()
      array.push(this.value())
    } while (this.continues(']'))
    return array
  }

  private string(): string {
    const start = this.at++
    let escaped = false
    while (!this.atStringEnd()) {
      escaped = true
      if (this.at >= this.text.length) this.fail('this string is not closed', start)
      if (this.text[this.at] !== '\\') {
        this.fail(`${this.here()} in a string: write it as \\n, \\t or \\uXXXX`)
      }
      if (this.match(ESCAPE) === undefined) this.fail('this escape is not valid in JSON')
    }
    const end = this.at++
    return escaped ? JSON.parse(this.text.slice(start, end + 1)) : this.text.slice(start + 1, end)
  }

  /** Skips plain characters. True at the closing quote. A loop, because regular expressions overflow at 16 MB. */
  private atStringEnd(): boolean {
    const text = this.text
    let at = this.at
    let code = text.charCodeAt(at)
    while (code >= 32 && code !== QUOTE && code !== BACKSLASH) code = text.charCodeAt(++at)
    this.at = at
    return code === QUOTE
  }

  private number(): number | undefined {
    const digits = this.match(NUMBER)
    return digits === undefined ? undefined : Number(digits)
  }

  private word(): JsonValue {
    const start = this.at
    const word = this.match(WORD) ?? ''
    if (Object.hasOwn(WORDS, word)) return WORDS[word]
    if (!this.strict && Object.hasOwn(NON_FINITE, word)) return NON_FINITE[word]
    this.at = start
    return this.fail(`expected a value, found ${word ? quote(word) : this.here()}`)
  }

  /** Skips the closing bracket of an empty object or array. */
  private closes(bracket: string): boolean {
    this.skipSpace()
    if (this.text[this.at] !== bracket) return false
    this.at++
    return true
  }

  /** After a member, skips a comma (true) or the closing bracket (false). */
  private continues(bracket: string): boolean {
    if (this.closes(bracket)) return false
    if (this.text[this.at] !== ',') this.fail(`expected , or ${bracket}, found ${this.here()}`)
    this.at++
    return true
  }

  private expect(char: string): void {
    if (this.text[this.at] !== char) this.fail(`expected ${char}, found ${this.here()}`)
    this.at++
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.at++
    }
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match[0]
  }

  private here(): string {
    const code = this.text.codePointAt(this.at)
    return code === undefined ? 'the end of the text' : quote(String.fromCodePoint(code))
  }

  private fail(problem: string, at = this.at): never {
    const line = countLines(this.text, at)
    const column = at - this.text.lastIndexOf('\n', at - 1)
    throw new HeedError(
      'corrupt-file',
      `${this.source} is not valid JSON: line ${line}, column ${column}: ${problem}`,
      {
        expected: 'valid JSON',
        remedy: 'Correct the file at this position, or download it again.',
      },
    )
  }
}

function countLines(text: string, end: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) line++
  return line
}
