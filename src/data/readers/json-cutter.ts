import { HeedError } from '../../util/errors.ts'
import { type Line, LONGEST } from './lines.ts'

export interface CutValue {
  text: string
  /** The line on which the value begins. */
  number: number
}

/** Splits JSON, fed line by line, into the values of its list, or into consecutive values. */
export class JsonCutter {
  /** Whether the values are in a list. */
  inList = false
  private readonly file: string
  private depth = 0
  /** The start of a value that continues on the next line. */
  private pending: string[] = []
  private length = 0
  private number = 1

  constructor(file: string) {
    this.file = file
  }

  *feed({ text, number }: Line): Generator<CutValue> {
    let start = 0 // of the text that has not been yielded
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) at = endOfString(text, at)
      else if (code === OPEN_OBJECT || code === OPEN_LIST) {
        if (this.depth === 0) {
          this.checkBetween(text.slice(start, at), number)
          start = at
          this.number = number
          if (code === OPEN_LIST && !this.inList && this.length === 0) {
            this.inList = true
            start++
            continue
          }
        }
        this.depth++
      } else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && this.depth > 0) {
        if (--this.depth > 0) continue
        yield { text: [...this.pending, text.slice(start, at + 1)].join('\n'), number: this.number }
        this.pending = []
        this.length = 0
        start = at + 1
      }
    }
    if (this.depth > 0) this.keep(text.slice(start))
    else this.checkBetween(text.slice(start), number)
  }

  /** Called at the end of the file. @throws HeedError for an incomplete value */
  finish(): void {
    if (this.depth === 0) return
    throw new HeedError(
      'invalid-data',
      `${this.file} ends within the value that begins on line ${this.number}`,
      { remedy: 'Close the brackets, or copy the file again if it was truncated.' },
    )
  }

  private keep(part: string): void {
    this.pending.push(part)
    this.length += part.length
    if (this.length <= LONGEST) return
    throw new HeedError(
      'invalid-data',
      `${this.file}:${this.number}: a value must be at most ${LONGEST >> 20} MB`,
      { remedy: 'Write the rows as a list, or one per line (.jsonl).' },
    )
  }

  private checkBetween(text: string, number: number): void {
    if (/^[\s,\]]*$/.test(text)) return
    throw new HeedError(
      'invalid-data',
      `${this.file}:${number}: rows must be objects ({ … }), got ${JSON.stringify(text.trim().slice(0, 40))}`,
      { remedy: 'Write a list of objects, or one object per line.' },
    )
  }
}

const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [...'{}[]'].map((c) => c.charCodeAt(0))
const QUOTE = 34
const BACKSLASH = 92

/** The position of the quote that closes a string, or the end of the line. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return text.length
}
