import { z } from 'zod'
import { vocabulary } from './model-settings.ts'
import { type Pieces, push, unknownId } from './pieces.ts'
import { registerTokenizerStep } from './register-step.ts'
import { text } from './settings.ts'
import type { TokenIds, WordModel } from './steps.ts'

registerTokenizerStep('model', 'WordPiece', {
  schema: z.object({
    vocab: vocabulary,
    unk_token: z.string().nullish(),
    continuing_subword_prefix: text('##'),
    max_input_chars_per_word: z
      .number()
      .min(0)
      .nullish()
      .transform((value) => value ?? 100),
  }),
  make: wordPiece,
  readsTables: true,
})

registerTokenizerStep('model', 'WordLevel', {
  schema: z.object({ vocab: vocabulary, unk_token: z.string().nullish() }),
  make: wordLevel,
  readsTables: true,
})

/** Takes the longest matching token repeatedly. If that fails, the whole word is unknown. */
function wordPiece({
  vocab,
  unk_token,
  continuing_subword_prefix: prefix,
  max_input_chars_per_word: longest,
}: {
  vocab: TokenIds
  unk_token?: string | null
  continuing_subword_prefix: string
  max_input_chars_per_word: number
}): WordModel {
  const unknownToken = unk_token ?? undefined
  return {
    vocab,
    unknownToken,
    encode(word) {
      const pieces: Pieces = { ids: [], starts: [], ends: [] }
      if (countCharacters(word, longest + 1) > longest) return unknown(word, unknownToken, vocab)
      for (let start = 0; start < word.length; ) {
        const before = start === 0 ? '' : prefix
        let end = word.length
        let id = vocab.get(before + word.slice(start, end))
        while (id === undefined && end > start) id = vocab.get(before + word.slice(start, --end))
        if (id === undefined || end === start) return unknown(word, unknownToken, vocab)
        push(pieces, id, start, end)
        start = end
      }
      return pieces
    },
  }
}

function wordLevel({
  vocab,
  unk_token,
}: {
  vocab: TokenIds
  unk_token?: string | null
}): WordModel {
  const unknownToken = unk_token ?? undefined
  return {
    vocab,
    unknownToken,
    encode(word) {
      const id = vocab.get(word)
      if (id === undefined) return unknown(word, unknownToken, vocab)
      return { ids: [id], starts: [0], ends: [word.length] }
    },
  }
}

function unknown(word: string, token: string | undefined, vocab: TokenIds): Pieces {
  return { ids: [unknownId(word, token, vocab)], starts: [0], ends: [word.length] }
}

function countCharacters(word: string, limit: number): number {
  let count = 0
  for (const _ of word) if (++count >= limit) break
  return count
}
