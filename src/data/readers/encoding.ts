import { HeedError, invalidOption } from '../../util/errors.ts'
import { readPieces } from './pieces.ts'

/**
 * Reads a text file in pieces of about a megabyte, converted to UTF-8. UTF-16 is recognised by its byte order mark.
 * @param encoding encoding of a file without a byte order mark, with a name of the Encoding Standard
 * @param isPlain see `readPieces`
 * @throws HeedError for an unknown encoding and for invalid bytes
 */
export async function* readUtf8(
  file: string,
  encoding?: string,
  isPlain = false,
): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | undefined
  let offset = 0
  const decode = (bytes?: Uint8Array): Buffer => {
    try {
      return Buffer.from((decoder as TextDecoder).decode(bytes, { stream: bytes !== undefined }))
    } catch (cause) {
      throw undecodable(file, decoder as TextDecoder, offset, cause)
    }
  }
  for await (const bytes of readPieces(file, isPlain)) {
    if (offset === 0) decoder = decoderFor(bytes, file, encoding)
    yield decoder ? decode(bytes) : bytes
    offset += bytes.length
  }
  if (decoder) yield decode()
}

/** The encoding in which `readUtf8` reads a file: "UTF-8", "UTF-16LE", "WINDOWS-1252" … */
export async function encodingOf(file: string, encoding?: string): Promise<string> {
  for await (const bytes of readPieces(file)) {
    return (decoderFor(bytes, file, encoding)?.encoding ?? 'utf-8').toUpperCase()
  }
  return 'UTF-8'
}

/**
 * The decoder for a file. Undefined for UTF-8, where each invalid line is reported.
 * @param bytes the first bytes of the file
 */
export function decoderFor(
  bytes: Uint8Array,
  file: string,
  encoding = 'utf-8',
): TextDecoder | undefined {
  const mark = markOf(bytes, file)
  try {
    const decoder = new TextDecoder(mark ?? encoding, { fatal: true })
    return decoder.encoding === 'utf-8' ? undefined : decoder
  } catch (cause) {
    throw invalidOption({
      key: 'encoding',
      value: encoding,
      expected: 'a name of the Encoding Standard',
      try: { encoding: ['utf-8', 'utf-16le', 'windows-1252', 'shift_jis'] },
      cause,
    })
  }
}

function markOf(bytes: Uint8Array, file: string): string | undefined {
  const mark = (bytes[0] << 8) | bytes[1]
  if (mark === 0xfeff) return 'utf-16be'
  if (mark !== 0xfffe) return undefined
  if (bytes.length >= 4 && bytes[2] === 0 && bytes[3] === 0)
    throw new HeedError('invalid-data', `${file} must be UTF-8 or UTF-16, got UTF-32`, {
      remedy: 'Save it as UTF-8.',
    })
  return 'utf-16le'
}

export const undecodable = (
  file: string,
  { encoding }: TextDecoder,
  offset: number,
  cause: unknown,
): HeedError =>
  new HeedError(
    'invalid-data',
    `${file} must be valid ${encoding} text, got an invalid byte after byte ${offset}`,
    { cause, remedy: 'Set `encoding` to the encoding of the file, or save the file as UTF-8.' },
  )
