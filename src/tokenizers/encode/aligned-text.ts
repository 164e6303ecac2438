import { checkArgument, wrongArgument } from '../../util/check-argument.ts'

/**
 * A text that records for each UTF-16 unit its position in the original text. Without tables, it is a slice of the
 * original text that starts at `base`.
 */
export class AlignedText {
  /** The text itself. */
  readonly text: string
  /** Start of this text in the original. */
  readonly base: number
  private readonly starts: Int32Array | undefined
  private readonly ends: Int32Array | undefined

  /**
   * Creates a text. `starts` and `ends` are the positions of each UTF-16 unit in the original; default: from `base`.
   */
  constructor(text: string, base = 0, starts?: Int32Array, ends?: Int32Array) {
    if (typeof text !== 'string') throw wrongArgument('AlignedText', 'text', text, 'a string')
    this.text = text
    this.base = base
    this.starts = starts
    this.ends = ends
  }

  /** Start in the original of the character that unit `i` belongs to. */
  start(i: number): number {
    return this.starts ? this.starts[i] : this.base + i
  }

  /** End in the original of the character that unit `i` belongs to. */
  end(i: number): number {
    return this.ends ? this.ends[i] : this.base + i + 1
  }

  /** Returns the part from unit `from` to unit `to`, with `text` in its place if that has the same length. */
  slice(from: number, to: number, text = this.text.slice(from, to)): AlignedText {
    if (!this.starts) return new AlignedText(text, this.base + from)
    const base = from < to ? this.start(from) : this.base
    return new AlignedText(
      text,
      base,
      this.starts.subarray(from, to),
      this.ends?.subarray(from, to),
    )
  }

  /** Replaces the text by one of the same length and keeps the positions. */
  with(text: string): AlignedText {
    return text === this.text ? this : new AlignedText(text, this.base, this.starts, this.ends)
  }
}

/** Builds a new text from a source and tracks the positions. */
export class TextRewriter {
  private text = ''
  private starts: number[] = []
  private ends: number[] = []
  private readonly source: AlignedText

  /** Starts a rewrite of `source`. */
  constructor(source: AlignedText) {
    if (!(source instanceof AlignedText))
      throw wrongArgument('TextRewriter', 'source', source, 'an AlignedText')
    this.source = source
  }

  /** Appends units [from, to) of the source. */
  keep(from: number, to: number): void {
    this.text += this.source.text.slice(from, to)
    for (let i = from; i < to; i++) {
      this.starts.push(this.source.start(i))
      this.ends.push(this.source.end(i))
    }
  }

  /** Appends a text that replaces the units [from, to) of the source. */
  replace(from: number, to: number, text: string): void {
    this.text += text
    const start = from < to ? this.source.start(from) : this.source.base
    const end = from < to ? this.source.end(to - 1) : this.source.base
    for (let i = 0; i < text.length; i++) {
      this.starts.push(start)
      this.ends.push(end)
    }
  }

  /** Appends a text without a source. It gets the position of the character before unit `at`. */
  insert(at: number, text: string): void {
    const before = at > 1 && isLowSurrogate(this.source.text, at - 1) ? at - 2 : at - 1
    this.replace(Math.max(0, before), at, text)
  }

  /** Returns the new text, aligned with the original of the source. */
  finish(): AlignedText {
    if (this.text === this.source.text) return this.source
    const starts = Int32Array.from(this.starts)
    return new AlignedText(this.text, this.source.base, starts, Int32Array.from(this.ends))
  }
}

/** Maps each character (code point) of a text. Return '' to remove a character. */
export function mapCharacters(
  source: AlignedText,
  map: (character: string) => string,
): AlignedText {
  checkArgument('mapCharacters', 'map', map, 'function')
  const rewriter = new TextRewriter(source)
  const { text } = source
  let changed = false
  for (let i = 0; i < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(i) as number)
    const mapped = map(character)
    changed ||= mapped !== character
    rewriter.replace(i, i + character.length, mapped)
    i += character.length
  }
  return changed ? rewriter.finish() : source
}

/**
 * A character of the new text and the number of source characters that it replaces: 0 for one, -n for 1 + n, 1 for
 * none.
 */
export type Change = readonly [character: string, change: number]

/** Builds a new text from changes, which consume the characters of the source in order. */
export function rewrite(source: AlignedText, changes: Iterable<Change>): AlignedText {
  const rewriter = new TextRewriter(source)
  let at = 0
  for (const [character, change] of changes) {
    if (change > 0) rewriter.insert(at, character)
    else {
      const end = nextCharacter(source.text, at)
      rewriter.replace(at, end, character)
      at = end
      for (let n = change; n < 0; n++) at = nextCharacter(source.text, at)
    }
  }
  return rewriter.finish()
}

/** The start of the character after the one at unit `at`. */
export function nextCharacter(text: string, at: number): number {
  if (at >= text.length) return text.length
  return at + ((text.codePointAt(at) as number) > 0xffff ? 2 : 1)
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code < 0xe000
}
