import { toByteChars } from './byte-level.ts'
import { inUnits, type Pieces } from './pieces.ts'
import type { WordModel } from './steps.ts'

/** Splits one word into tokens. */
export type WordEncoder = Pick<WordModel, 'encode'>

/** Adds a cache to a model. With `overBytes`, the model gets the bytes of words as characters. */
export function wordEncoder(model: WordModel, overBytes: boolean): WordEncoder {
  return remember(overBytes ? encodeBytes(model) : model)
}

/** Converts positions from bytes to UTF-16 units. */
function encodeBytes(model: WordEncoder): WordEncoder {
  return { encode: (word) => inUnits(word, model.encode(toByteChars(word))) }
}

/** Caches the tokens of words, because few words make up most of a text. */
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
