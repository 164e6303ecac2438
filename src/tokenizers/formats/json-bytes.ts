/** Thrown for JSON that `JsonBytes` does not support. Callers then use `parseJson`, which reports line and column. */
export class NotPlainJson extends Error {}

/** A pull parser for UTF-8 JSON. Strings become UTF-16 units in a buffer. */
export class JsonBytes {
  at = 0
  /** The units of the last strings. */
  units = new Uint16Array(1 << 10)
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Returns the next byte that is not white space without consuming it; undefined at the end. */
  peek(): number | undefined {
    const { bytes } = this
    let byte = bytes[this.at]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++this.at]
    return byte
  }

  /** Reads an object. `value` is called at each value; the first `length` units are its key. */
  object(value: (length: number) => void): void {
    this.expect('{')
    this.list('}', () => {
      const length = this.text()
      this.expect(':')
      value(length)
    })
  }

  /** Reads a list. `item` is called at each item. */
  array(item: () => void): void {
    this.expect('[')
    this.list(']', item)
  }

  /** Reads a string into the units, starting at `start`. Returns its end. */
  text(start = 0): number {
    this.expect('"')
    const { bytes } = this
    let { units } = this
    for (let length = start; ; ) {
      if (length + 2 > units.length) units = this.grow()
      const byte = bytes[this.at++]
      if (byte === QUOTE) return length
      if (byte === BACKSLASH) units[length++] = this.escape()
      else if (byte >= 0x80) {
        const code = this.character(byte)
        if (code < 0x10000) units[length++] = code
        else {
          units[length++] = 0xd7c0 + (code >> 10)
          units[length++] = 0xdc00 + (code & 0x3ff)
        }
      } else if (byte >= 0x20) units[length++] = byte
      else throw new NotPlainJson()
    }
  }

  /** Reads an integer from 0 to `limit` - 1. */
  integer(limit: number): number {
    const isZero = this.peek() === ZERO
    const start = this.at
    let value = 0
    for (;;) {
      const digit = this.bytes[this.at] - ZERO
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
      if (value >= limit) throw new NotPlainJson()
      this.at++
    }
    if (this.at === start || (isZero && this.at > start + 1)) throw new NotPlainJson()
    return value
  }

  /** Skips a value without validation. */
  skip(): void {
    let depth = 0
    do {
      const byte = this.peek()
      if (byte === undefined) throw new NotPlainJson()
      if (byte === QUOTE) this.skipText()
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
      if (byte !== QUOTE) this.at++
    } while (depth > 0)
    // The end of a number or word.
    while (/[\w.+-]/.test(String.fromCharCode(this.bytes[this.at] ?? 0))) this.at++
  }

  /** The first units as a string, for short keys; '' for longer ones. */
  key(length: number): string {
    return length > 32 ? '' : String.fromCharCode(...this.units.subarray(0, length))
  }

  private list(end: string, item: () => void): void {
    const close = end.charCodeAt(0)
    if (this.peek() !== close) {
      item()
      while (this.peek() === COMMA) {
        this.at++
        item()
      }
    }
    this.expect(end)
  }

  private expect(character: string): void {
    if (this.peek() !== character.charCodeAt(0)) throw new NotPlainJson()
    this.at++
  }

  private escape(): number {
    const byte = this.bytes[this.at++]
    if (byte !== LOWER_U) {
      const unit = ESCAPES[String.fromCharCode(byte)]
      if (unit === undefined) throw new NotPlainJson()
      return unit.charCodeAt(0)
    }
    const digits = String.fromCharCode(...this.bytes.subarray(this.at, this.at + 4))
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new NotPlainJson()
    this.at += 4
    return Number.parseInt(digits, 16)
  }

  /** Reads the rest of a multi-byte character. Returns its code point. */
  private character(first: number): number {
    const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    let code = first & (0x3f >> more)
    for (let i = 0; i < more; i++) {
      const byte = this.bytes[this.at++]
      if ((byte & 0xc0) !== 0x80) throw new NotPlainJson()
      code = (code << 6) | (byte & 0x3f)
    }
    const isSurrogate = code >= 0xd800 && code < 0xe000
    if (first < 0xc0 || first >= 0xf8 || code < LEAST[more] || code > 0x10ffff || isSurrogate)
      throw new NotPlainJson()
    return code
  }

  private skipText(): void {
    const { bytes } = this
    let at = this.at + 1
    while (bytes[at] !== QUOTE) {
      if (at >= bytes.length) throw new NotPlainJson()
      at += bytes[at] === BACKSLASH ? 2 : 1
    }
    this.at = at + 1
  }

  private grow(): Uint16Array<ArrayBuffer> {
    const units = new Uint16Array(this.units.length * 2)
    units.set(this.units)
    this.units = units
    return units
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const ZERO = 0x30
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const ESCAPES: Readonly<Record<string, string | undefined>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
/** Lowest code point by number of continuation bytes in UTF-8. */
const LEAST = [0, 0x80, 0x800, 0x10000]
