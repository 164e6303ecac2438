/** The index of the first byte that is not valid UTF-8; -1 if all are valid. */
export function findInvalidUtf8(bytes: Uint8Array): number {
  let i = 0
  while (i < bytes.length) {
    const length = characterLength(bytes, i)
    if (length === 0) return i
    i += length
  }
  return -1
}

/** The number of bytes of an incomplete character at the end: 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]
    if (byte >= 0xc0) return announced(byte) > back ? back : 0
    if (byte < 0x80) return 0
  }
  return 0
}

function announced(first: number): number {
  if (first < 0x80) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}

/** The length of the character at `at`; 0 if it is overlong, a surrogate or incomplete. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const length = announced(first)
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  const second = bytes[at + 1]
  if (!(second >= least && second <= most)) return 0
  for (let i = 2; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return 0
  return length
}
