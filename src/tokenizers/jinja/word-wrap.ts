import { characterCount, charactersOf, splitLines } from './characters.ts'
import { fail } from './failure.ts'
import { allocateList, allocateText } from './limits.ts'

export interface WrapOptions {
  width: number
  breakLongWords: boolean
  breakOnHyphens: boolean
  /** Separator between lines. */
  join: string
}

/** The filter `wordwrap`: wraps each line of the text to at most `width` characters. */
export function wordWrap(text: string, options: WrapOptions): string {
  allocateText(text.length * 2)
  allocateList(text.length)
  const paragraphs = splitLines(text)
  return paragraphs.map((line) => wrap(line, options).join(options.join)).join(options.join)
}

/** Splits text like Python's textwrap: words, white space, and the parts of hyphenated words. */
const HYPHENATED = new RegExp(
  [
    '[\\t\\n\\v\\f\\r ]+', // white space
    '(?<=[\\w!"\'&.,?])-{2,}(?=\\w)', // a dash between words
    // A word up to a hyphen between letters, a dash, or its end.
    '[^\\t\\n\\v\\f\\r ]+?(?:-(?:(?<=[^\\d\\W]{2}-)|(?<=[^\\d\\W]-[^\\d\\W]-))(?=[^\\d\\W]-?[^\\d\\W])|(?=[\\t\\n\\v\\f\\r ]|$)|(?<=[\\w!"\'&.,?])(?=-{2,}\\w))',
  ].join('|'),
  'gu',
)
const PLAIN = /[\t\n\v\f\r ]+|[^\t\n\v\f\r ]+/g

function wrap(text: string, options: WrapOptions): string[] {
  const { width } = options
  if (width <= 0) fail('ValueError', `invalid width ${width} (must be > 0)`)
  const chunks = text.match(options.breakOnHyphens ? HYPHENATED : PLAIN) ?? []
  chunks.reverse()
  const lines: string[] = []
  while (chunks.length > 0) {
    if (lines.length > 0 && isBlank(chunks[chunks.length - 1])) chunks.pop()
    const line: string[] = []
    let length = 0
    while (chunks.length > 0) {
      const chunk = chunks[chunks.length - 1]
      if (isLonger(chunk, width - length)) break
      line.push(chunk)
      chunks.pop()
      length += characterCount(chunk)
    }
    if (chunks.length > 0 && isLonger(chunks[chunks.length - 1], width))
      breakWord(chunks, line, width - length, options)
    if (line.length > 0 && isBlank(line[line.length - 1])) line.pop()
    if (line.length > 0) lines.push(line.join(''))
  }
  return lines
}

/** Whether a chunk is longer than the limit, in time bounded by the limit, because a word may be very long. */
const isLonger = (chunk: string, limit: number): boolean =>
  chunk.length > 2 * limit || characterCount(chunk) > limit

const isBlank = (chunk: string): boolean => chunk.trim() === ''

/** Breaks a word that is too long, and adds its start to the line. */
function breakWord(
  chunks: string[],
  line: string[],
  room: number,
  { width, breakLongWords, breakOnHyphens }: WrapOptions,
): void {
  const word = chunks[chunks.length - 1]
  if (breakLongWords) {
    const space = Math.max(width < 1 ? 1 : room, 0)
    // The word is longer than the line, so the part that fits is in its first units.
    const start = charactersOf(word.slice(0, 2 * space)).slice(0, space)
    let end = start.length
    if (breakOnHyphens) {
      const hyphen = start.lastIndexOf('-')
      if (hyphen > 0 && start.slice(0, hyphen).some((character) => character !== '-'))
        end = hyphen + 1
    }
    const head = start.slice(0, end).join('')
    line.push(head)
    chunks[chunks.length - 1] = word.slice(head.length)
  } else if (line.length === 0) line.push(chunks.pop() ?? '')
}
