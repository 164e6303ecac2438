// Byte-level BPE writes each of the 256 bytes as a printable character. In GPT-2's table, printable bytes stand for
// themselves, and the others for the characters from U+0100.

/** GPT-2's split of text into words. White space is that of Unicode, as in Python's `tokenizers`. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/** The same split as a JavaScript expression, whose `\s` has U+FEFF and lacks U+0085. */
export const GPT2_SPLIT = new RegExp(
  GPT2_PATTERN.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'),
  'gu',
)

/** The character of each byte. */
export const BYTE_CHARS: readonly string[] = byteCharacters()

/** Text as the characters of its UTF-8 bytes. */
export function toByteChars(text: string): string {
  let chars = ''
  for (const byte of encoder.encode(text)) chars += BYTE_CHARS[byte]
  return chars
}

/** The bytes of a token; a token with another character is encoded as UTF-8. */
export function fromByteChars(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = CHAR_BYTES.get(token[i])
    if (byte === undefined) return encoder.encode(token)
    bytes[i] = byte
  }
  return bytes
}

const encoder = new TextEncoder()
const CHAR_BYTES = new Map(BYTE_CHARS.map((char, byte) => [char, byte]))

function byteCharacters(): string[] {
  let moved = 0x100
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(prints(byte) ? byte : moved++),
  )
}

function prints(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad)
}
