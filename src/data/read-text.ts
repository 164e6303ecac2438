import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { fileError } from '../io/files/file-error.ts'
import { refuseOtherFormats } from '../io/files/wrong-format.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { piecesWithLineFeeds } from '../util/line-feeds.ts'
import { decoderFor, undecodable } from './readers/encoding.ts'
import { findInvalidUtf8, incompleteTail } from './utf8.ts'

const checkReadText = argumentKinds('readText', { path: 'text', encoding: 'text?' })

/**
 * Reads the text of a file in pieces of a few megabytes, cut between characters. A byte order mark is skipped,
 * and CRLF becomes a line feed.
 * @param encoding required unless the file is UTF-8, or UTF-16 with a byte order mark
 * @throws HeedError with the position of the first invalid byte
 */
export function* readText(path: string, encoding?: string): Generator<string> {
  checkReadText(path, encoding)
  yield* piecesWithLineFeeds(decodedPieces(path, encoding))
}

function* decodedPieces(path: string, encoding: string | undefined): Generator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let other: TextDecoder | undefined
  let offset = 0
  for (const bytes of readCharacters(path)) {
    if (offset === 0) {
      refuseOtherFormats(path, 'a text file', bytes, ['json', 'html', 'xml'])
      other = decoderFor(bytes, path, encoding)
    }
    if (other) {
      yield decodeOther(other, bytes, offset, path)
      offset += bytes.length
      continue
    }
    checkText(bytes, offset, path)
    const text = decoder.decode(bytes)
    yield offset === 0 && text.startsWith('\uFEFF') ? text.slice(1) : text
    offset += bytes.length
  }
  if (other) yield decodeOther(other, undefined, offset, path)
}

/** @param bytes undefined at the end */
function decodeOther(
  decoder: TextDecoder,
  bytes: Uint8Array | undefined,
  offset: number,
  path: string,
): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined })
  } catch (cause) {
    throw undecodable(path, decoder, offset, cause)
  }
}

const PIECE = 1 << 22
const LONGEST_CHARACTER = 4

/** Reads the bytes of a file, cut between characters. The last piece may end within a character. */
function* readCharacters(path: string): Generator<Uint8Array> {
  const { file, size } = openText(path)
  try {
    const buffer = new Uint8Array(Math.min(PIECE, size + LONGEST_CHARACTER))
    let kept = 0
    for (;;) {
      const read = readSync(file, buffer, kept, buffer.length - kept, null)
      const filled = kept + read
      if (read === 0) {
        if (filled > 0) yield buffer.subarray(0, filled)
        return
      }
      kept = incompleteTail(buffer.subarray(0, filled))
      if (filled > kept) yield buffer.subarray(0, filled - kept)
      buffer.copyWithin(0, filled - kept, filled)
    }
  } catch (error) {
    throw fileError(error, 'read', path)
  } finally {
    closeSync(file)
  }
}

function openText(path: string): { file: number; size: number } {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const stat = fstatSync(file)
    if (stat.isFile()) return { file, size: stat.size }
  } catch (error) {
    throw fileError(error, 'read', path)
  }
  closeSync(file)
  throw new HeedError('invalid-data', `The path ${path} must be a file`, {
    remedy: 'Pass a text file.',
  })
}

function checkText(bytes: Uint8Array, offset: number, path: string): void {
  const broken = findInvalidUtf8(bytes)
  const zero = bytes.indexOf(0)
  if (broken < 0 && zero < 0) return
  const isZero = zero >= 0 && (broken < 0 || zero < broken)
  const at = isZero ? zero : broken
  const what = isZero ? 'a zero byte' : `0x${bytes[at].toString(16).padStart(2, '0')}`
  throw new HeedError(
    'invalid-data',
    `${path} must be UTF-8 text, got ${what} at byte ${offset + at}`,
    {
      remedy: 'Save the file as UTF-8, set `encoding`, or leave the file out if it is not text.',
    },
  )
}
