import { toByteChars } from './byte-level.ts'
import type { Pieces } from './pieces.ts'
import type { WordModel } from './steps.ts'

/** Splits one word into tokens. */
export type WordEncoder = Pick<WordModel, 'encode'>

/** A model with a memory; with `overBytes` it sees the bytes of words, written as characters. */
export function wordEncoder(model: WordModel, overBytes: boolean): WordEncoder {
  return remember(overBytes ? encodeBytes(model) : model)
}

/** A token that is part of a character gets the offsets of the whole character. */
function encodeBytes(model: WordEncoder): WordEncoder {
  return {
    encode(word) {
      const bytes = toByteChars(word)
      const { ids, starts, ends } = model.encode(bytes)
      if (bytes.length === word.length) return { ids, starts, ends }
      const { first, last } = unitsOfBytes(word, bytes.length)
      return {
        ids,
        starts: starts.map((byte) => first[byte]),
        ends: ends.map((byte) => last[byte - 1]),
      }
    },
  }
}

/** For each UTF-8 byte of a word, the start and end of its character. */
function unitsOfBytes(word: string, length: number): { first: Int32Array; last: Int32Array } {
  const first = new Int32Array(length)
  const last = new Int32Array(length)
  let byte = 0
  for (let i = 0; i < word.length; ) {
    const code = word.codePointAt(i) as number
    const units = code > 0xffff ? 2 : 1
    const end = byte + (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4)
    first.fill(i, byte, end)
    last.fill(i + units, byte, end)
    byte = end
    i += units
  }
  return { first, last }
}

/** Keeps the tokens of words: few words make up most of a text. */
function remember(model: WordEncoder): WordEncoder {
  const known = new Map<string, Pieces>()
  return {
    encode(word) {
      let pieces = known.get(word)
      if (pieces) return pieces
      pieces = model.encode(word)
      if (known.size >= MAX_WORDS) known.clear()
      if (word.length <= MAX_WORD_LENGTH) known.set(word, pieces)
      return pieces
    },
  }
}

const MAX_WORDS = 1 << 16
const MAX_WORD_LENGTH = 64
