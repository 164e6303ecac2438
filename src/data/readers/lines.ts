import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { having, oneOf, optionKinds } from '../../util/options.ts'
import type { Mistakes } from '../mistakes.ts'
import { findInvalidUtf8 } from '../utf8.ts'
import { readUtf8 } from './encoding.ts'

/** A line of a text file. */
export interface Line {
  /** The line without its line break. */
  text: string
  /** Line number, from 1. */
  number: number
  /** False for a line that is not UTF-8 text. The error has been reported. */
  sound: boolean
}

/** Options of `readLines`. */
export interface LineOptions {
  /** Encoding, such as `windows-1252`. Default: UTF-8, or UTF-16 with a byte order mark. */
  encoding?: string
  /** The character that ends a line. Default: line feed; a carriage return before it belongs to the line break. */
  lineEnd?: '\n' | '\r'
  /** Keep a carriage return before the line feed. */
  keepReturns?: boolean
  /** Accept any text, even if it begins like another format. */
  isPlain?: boolean
}

const checkReadLines = argumentKinds('readLines', {
  file: 'text',
  mistakes: having('a Mistakes', 'add'),
  options: optionKinds<LineOptions>({
    encoding: 'text?',
    lineEnd: oneOf(['\n', '\r']),
    keepReturns: 'flag?',
    isPlain: 'flag?',
  }),
})

/**
 * Reads the lines of a file in batches, because a step of an asynchronous loop costs more than a line. Gzip files are
 * decompressed; a byte order mark is skipped. At most a few megabytes and one line are in memory.
 * @throws HeedError for a line larger than 64 MB, and for an unknown encoding
 */
export async function* readLines(
  file: string,
  mistakes: Mistakes,
  options: LineOptions = {},
): AsyncGenerator<Line[]> {
  checkReadLines(file, mistakes, options)
  const { encoding, lineEnd = '\n', keepReturns = false, isPlain = false } = options
  const cut = { lineEnd, keepReturns, file, mistakes }
  const newline = lineEnd.charCodeAt(0)
  let rest: Uint8Array[] = []
  let restLength = 0
  let number = 1
  for await (const piece of readUtf8(file, encoding, isPlain)) {
    const end = piece.lastIndexOf(newline) + 1
    if (end > 0) {
      const lines = split(Buffer.concat([...rest, piece.subarray(0, end - 1)]), number, cut)
      number += lines.length
      yield lines
      rest = []
      restLength = 0
    }
    rest.push(piece.subarray(end))
    restLength += piece.length - end
    if (restLength > LONGEST) throw tooLong(file, number)
  }
  if (restLength > 0) yield split(Buffer.concat(rest), number, cut)
}

/** Maximum number of bytes of a line or a value. */
export const LONGEST = 64 << 20

interface Cut extends Required<Pick<LineOptions, 'lineEnd' | 'keepReturns'>> {
  file: string
  mistakes: Mistakes
}

function split(bytes: Uint8Array, first: number, cut: Cut): Line[] {
  const { lineEnd, keepReturns } = cut
  const clean = (line: string): string => (keepReturns ? line : withoutReturn(line))
  const text = decodeText(bytes)
  if (text !== undefined) {
    const lines = (first === 1 ? withoutMark(text) : text).split(lineEnd)
    return lines.map((line, i) => ({ text: clean(line), number: first + i, sound: true }))
  }
  const lines: Line[] = []
  for (let start = 0; start <= bytes.length; ) {
    const newline = bytes.indexOf(lineEnd.charCodeAt(0), start)
    const end = newline < 0 ? bytes.length : newline
    const line = decodeLine(bytes.subarray(start, end), first + lines.length, cut)
    lines.push({ ...line, text: clean(line.text) })
    start = end + 1
  }
  return lines
}

function decodeLine(bytes: Uint8Array, number: number, { file, mistakes }: Cut): Line {
  const text = decodeText(bytes)
  if (text !== undefined)
    return { text: number === 1 ? withoutMark(text) : text, number, sound: true }
  mistakes.add({ file, number }, describe(bytes), ENCODING_REMEDY)
  return { text: new TextDecoder().decode(bytes), number, sound: false }
}

function describe(bytes: Uint8Array): string {
  const zero = bytes.indexOf(0)
  const broken = findInvalidUtf8(bytes)
  if (zero >= 0 && (broken < 0 || zero < broken))
    return `the line must be text, got a zero byte (byte ${zero + 1})`
  const byte = bytes[broken].toString(16).padStart(2, '0')
  return `the line must be UTF-8, got 0x${byte} (byte ${broken + 1})`
}

/** Decodes UTF-8 text; undefined if it is invalid or has zero bytes. */
function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text)
const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)

const ENCODING_REMEDY = 'Save the file as UTF-8, or set `encoding`, for example to `windows-1252`.'

function tooLong(file: string, number: number): HeedError {
  return new HeedError(
    'invalid-data',
    `${file}:${number}: a line must be at most ${LONGEST >> 20} MB`,
    { remedy: 'Check that the file is text with line breaks.' },
  )
}
