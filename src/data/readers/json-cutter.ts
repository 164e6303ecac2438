import { HeedError } from '../../util/errors.ts'
import { type Line, LONGEST } from './lines.ts'

export interface CutValue {
  text: string
  /** The line in which it begins. */
  number: number
}

/** Cuts JSON that comes line by line where the values end that stand in one list, or in none. */
export class JsonCutter {
  /** Whether they stand in a list. */
  inList = false
  private readonly file: string
  private depth = 0
  private parts: string[] = []
  private length = 0
  private number = 1

  constructor(file: string) {
    this.file = file
  }

  *feed({ text, number }: Line): Generator<CutValue> {
    let start = 0 // of what has not been given out
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
        yield { text: [...this.parts, text.slice(start, at + 1)].join('\n'), number: this.number }
        this.parts = []
        this.length = 0
        start = at + 1
      }
    }
    if (this.depth > 0) this.keep(text.slice(start))
    else this.checkBetween(text.slice(start), number)
  }

  /** Called at the end of the file. */
  finish(): void {
    if (this.depth === 0) return
    throw new HeedError(
      'invalid-data',
      `${this.file} ends within the value that begins in line ${this.number}`,
      {
        remedy: 'It was cut off, or a bracket is missing.',
      },
    )
  }

  private keep(part: string): void {
    this.parts.push(part)
    this.length += part.length
    if (this.length <= LONGEST) return
    throw new HeedError(
      'invalid-data',
      `${this.file}:${this.number}: a value of more than ${LONGEST >> 20} MB`,
    )
  }

  private checkBetween(text: string, number: number): void {
    if (/^[\s,\]]*$/.test(text)) return
    const found = JSON.stringify(text.trim().slice(0, 40))
    throw new HeedError(
      'invalid-data',
      `${this.file}:${number}: an object ({ … }) is needed, found ${found}`,
    )
  }
}

const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [...'{}[]'].map((c) => c.charCodeAt(0))
const QUOTE = 34
const BACKSLASH = 92

/** The place of the quote that ends a string; the end of the line for one that is broken off. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return text.length
}
