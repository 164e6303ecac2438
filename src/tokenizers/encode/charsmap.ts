import { once } from '../../util/once.ts'
import { type AlignedText, rewrite } from './aligned-text.ts'
import type { Normalizer } from './steps.ts'

/**
 * Reads SentencePiece's table of replacements (`precompiled_charsmap`): a double-array trie over UTF-8, whose values
 * are positions in a list of NUL-terminated strings.
 * @throws Error if it is damaged
 */
export function readCharsMap(encoded: string): Normalizer {
  if (encoded === '') return (text) => text
  const table = new CharsMap(decodeBase64(encoded))
  return (text) => table.apply(text)
}

class CharsMap {
  private readonly units: Uint32Array
  private readonly texts: Uint8Array
  private readonly known = new Map<string, string | undefined>()

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const size = bytes.length >= 4 ? view.getUint32(0, true) : -1
    if (size < 4 || size % 4 !== 0 || size > bytes.length - 4) {
      throw new Error('the size in precompiled_charsmap does not match its data')
    }
    this.units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true))
    this.texts = bytes.subarray(4 + size)
  }

  /** Replaces graphemes in the table, otherwise code points. */
  apply(source: AlignedText): AlignedText {
    const { text } = source
    const changes: [character: string, change: number][] = []
    let changed = false
    const replace = (part: string): boolean => {
      const content = this.lookUp(part)
      if (content === undefined) return false
      changed = true
      pushChanges(changes, part, content)
      return true
    }
    const replaceSingly = (segment: string): void => {
      for (const character of segment) if (!replace(character)) changes.push([character, 0])
    }
    // Every ASCII character is a grapheme, except that \r\n is one.
    if (ASCII.test(text) && !text.includes('\r\n')) replaceSingly(text)
    else
      for (const { segment } of graphemes().segment(text))
        if (utf8Length(segment) >= LONGEST || !replace(segment)) replaceSingly(segment)
    return changed ? rewrite(source, changes) : source
  }

  private lookUp(text: string): string | undefined {
    if (this.known.has(text)) return this.known.get(text)
    const replacement = this.search(text)
    if (this.known.size < MAX_KNOWN) this.known.set(text, replacement)
    return replacement
  }

  /** The replacement of the shortest prefix in the table, as in Python's `tokenizers`. */
  private search(text: string): string | undefined {
    const { units } = this
    let node = offsetOf(units[0])
    for (const byte of encoder.encode(text)) {
      if (byte === 0) return undefined
      node ^= byte
      const unit = units[node]
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined
      node ^= offsetOf(unit)
      if (((unit >>> 8) & 1) === 1) return this.textAt((units[node] ?? 0) & 0x7fffffff)
    }
    return undefined
  }

  private textAt(start: number): string {
    const end = this.texts.indexOf(0, start)
    return decoder.decode(this.texts.subarray(start, end < 0 ? this.texts.length : end))
  }
}

/**
 * Replaces the characters of `part` by those of `content`, one by one; additional ones are insertions. Remaining
 * characters of `part` are merged into the previous character. As in Python, they are not removed at the start of a
 * text.
 */
function pushChanges(
  changes: [character: string, change: number][],
  part: string,
  content: string,
): void {
  const characters = Array.from(content)
  const more = characters.length - Array.from(part).length
  characters.forEach((character, i) => {
    changes.push([character, i < characters.length - more ? 0 : 1])
  })
  const last = changes.at(-1)
  if (more < 0 && last) last[1] += more
}

const LONGEST = 6 // bytes; longer graphemes are replaced by code point
const MAX_KNOWN = 1 << 16
const ASCII = /^\p{ASCII}*$/u
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

// Construction takes 9 ms.
const graphemes = once(() => new Intl.Segmenter('und', { granularity: 'grapheme' }))

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6)
}

function utf8Length(text: string): number {
  return text.length >= LONGEST ? text.length : encoder.encode(text).length
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    throw new Error('precompiled_charsmap is not base64')
  }
}
