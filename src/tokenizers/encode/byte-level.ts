// Byte-level BPE represents each of the 256 bytes by a printable character. In GPT-2's table, printable bytes represent
// themselves, and the others map to characters from U+0100.

/** GPT-2's pattern for splitting text into words. White space is defined by Unicode, as in Python's `tokenizers`. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/** The same as a JavaScript expression, whose `\s` would include U+FEFF and exclude U+0085. */
export const GPT2_SPLIT = new RegExp(
  GPT2_PATTERN.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'),
  'gu',
)

/** The character of each byte. */
export const BYTE_CHARS: readonly string[] = byteCharacters()

/** Converts text to the characters of its UTF-8 bytes. */
export function toByteChars(text: string): string {
  let chars = ''
  for (const byte of encoder.encode(text)) chars += BYTE_CHARS[byte]
  return chars
}

/** Converts a token to its bytes. A token with a character outside of the table is encoded as UTF-8. */
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
