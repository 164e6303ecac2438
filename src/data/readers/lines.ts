import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import { findInvalidUtf8 } from '../utf8.ts'
import { readPieces } from './pieces.ts'

export interface Line {
  /** Without the line break. */
  text: string
  /** From 1. */
  number: number
  /** False for a line that is not UTF-8 text; the mistake has been reported. */
  sound: boolean
}

/**
 * The lines of a file, many at a time, as a step of an asynchronous loop costs more than a line. Files packed with
 * gzip are unpacked; a byte order mark is skipped. At most a few megabytes and one line are in memory.
 * @throws HeedError for a line beyond 64 MB, and for UTF-16
 */
export async function* readLines(
  file: string,
  mistakes: Mistakes,
  { isPlain = false } = {},
): AsyncGenerator<Line[]> {
  let rest: Uint8Array[] = []
  let restLength = 0
  let number = 1
  for await (const piece of readPieces(file, isPlain)) {
    const end = piece.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      const lines = split(
        Buffer.concat([...rest, piece.subarray(0, end - 1)]),
        number,
        file,
        mistakes,
      )
      number += lines.length
      yield lines
      rest = []
      restLength = 0
    }
    rest.push(piece.subarray(end))
    restLength += piece.length - end
    if (restLength > LONGEST) throw tooLong(file, number)
  }
  if (restLength > 0) yield split(Buffer.concat(rest), number, file, mistakes)
}

/** The most bytes of a line or a value. */
export const LONGEST = 64 << 20
const NEWLINE = 10

function split(bytes: Uint8Array, first: number, file: string, mistakes: Mistakes): Line[] {
  if (first === 1) refuseUtf16(bytes, file)
  const text = decodeText(bytes)
  if (text !== undefined) {
    const lines = (first === 1 ? withoutMark(text) : text).split('\n')
    return lines.map((line, i) => ({ text: withoutReturn(line), number: first + i, sound: true }))
  }
  const lines: Line[] = []
  for (let start = 0; start <= bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    lines.push(decodeLine(bytes.subarray(start, end), first + lines.length, file, mistakes))
    start = end + 1
  }
  return lines
}

function decodeLine(bytes: Uint8Array, number: number, file: string, mistakes: Mistakes): Line {
  const text = decodeText(bytes)
  if (text !== undefined) return { text: withoutReturn(withoutMark(text)), number, sound: true }
  mistakes.add({ file, number }, describe(bytes), 'Save it as UTF-8.')
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

/** Text without zero bytes, or undefined. */
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

function refuseUtf16(bytes: Uint8Array, file: string): void {
  const mark = (bytes[0] << 8) | bytes[1]
  if (mark !== 0xfffe && mark !== 0xfeff) return
  throw new HeedError('invalid-data', `${file} must be UTF-8, got UTF-16`, {
    remedy: 'Save it as UTF-8.',
  })
}

function tooLong(file: string, number: number): HeedError {
  return new HeedError(
    'invalid-data',
    `${file}:${number}: a line must be at most ${LONGEST >> 20} MB`,
    { remedy: 'Check that the file is text with line breaks.' },
  )
}
