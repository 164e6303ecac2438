import type { ComponentJson } from '../formats/tokenizer-json.ts'
import { Bpe } from './bpe-model.ts'
import { toByteChars } from './byte-level.ts'
import { type Pieces, push, unknownId, type WordModel } from './pieces.ts'
import { Unigram } from './unigram-model.ts'

/** The model that `tokenizer.json` describes, over the tokens of its vocabulary. */
export function makeWordModel(
  config: ComponentJson,
  vocab: ReadonlyMap<string, number>,
  byteLevel: boolean,
): WordModel {
  const model = MODELS[kindOf(config)](config, vocab)
  return remember(byteLevel ? overBytes(model) : model)
}

const MODELS = {
  BPE: (config: ComponentJson, vocab: ReadonlyMap<string, number>) => new Bpe(config, vocab),
  Unigram: (config: ComponentJson, vocab: ReadonlyMap<string, number>) =>
    new Unigram(config, vocab),
  WordPiece: wordPiece,
  WordLevel: wordLevel,
}

function kindOf(config: ComponentJson): keyof typeof MODELS {
  if (config.type !== undefined) return config.type as keyof typeof MODELS
  if (Array.isArray(config.vocab)) return 'Unigram'
  if (config.merges !== undefined) return 'BPE'
  return config.continuing_subword_prefix === undefined ? 'WordLevel' : 'WordPiece'
}

/** The longest token that fits, again and again; a word that does not come out is unknown. */
function wordPiece(config: ComponentJson, vocab: ReadonlyMap<string, number>): WordModel {
  const { unk_token, continuing_subword_prefix, max_input_chars_per_word } = config
  const prefix = String(continuing_subword_prefix ?? '##')
  const longest = Number(max_input_chars_per_word ?? 100)
  return {
    encode(word) {
      const pieces: Pieces = { ids: [], starts: [], ends: [] }
      if (charactersIn(word, longest + 1) > longest) return unknown(word, unk_token, vocab)
      for (let start = 0; start < word.length; ) {
        const before = start === 0 ? '' : prefix
        let end = word.length
        let id = vocab.get(before + word.slice(start, end))
        while (id === undefined && end > start) id = vocab.get(before + word.slice(start, --end))
        if (id === undefined || end === start) return unknown(word, unk_token, vocab)
        push(pieces, id, start, end)
        start = end
      }
      return pieces
    },
  }
}

function wordLevel({ unk_token }: ComponentJson, vocab: ReadonlyMap<string, number>): WordModel {
  return {
    encode(word) {
      const id = vocab.get(word)
      if (id === undefined) return unknown(word, unk_token, vocab)
      return { ids: [id], starts: [0], ends: [word.length] }
    },
  }
}

function unknown(word: string, token: unknown, vocab: ReadonlyMap<string, number>): Pieces {
  return { ids: [unknownId(token, vocab)], starts: [0], ends: [word.length] }
}

function charactersIn(word: string, limit: number): number {
  let count = 0
  for (const _ of word) if (++count >= limit) break
  return count
}

/** A model over the bytes of words; a token that is part of a character stands for all of it. */
function overBytes(model: WordModel): WordModel {
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

/** For each UTF-8 byte of a word, where the character that it is part of starts and ends. */
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

/** Models look at one word at a time, and few words make up most of a text. */
function remember(model: WordModel): WordModel {
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
