import { z } from 'zod'
import { refuse } from '../schema-error.ts'
import { vocabulary } from './model-settings.ts'
import { makeTokenizerStep, registerTokenizerStep } from './register-step.ts'
import { text } from './settings.ts'
import type { WordModel } from './steps.ts'
import { TokenTable } from './token-table.ts'

registerTokenizerStep('model', 'SymbolBPE', {
  schema: z
    .object({
      vocab: vocabulary,
      merges: z.array(z.string().regex(/^\S+ \S+$/)),
      unk_token: z.string(),
      end_of_word_suffix: text(''),
    })
    .transform((json, context) => {
      const unknown = json.vocab.get(json.unk_token)
      if (unknown !== undefined) return { ...json, unknown }
      return refuse(context, json.unk_token, 'a token of the vocabulary', { path: ['unk_token'] })
    }),
  make: symbolBpe,
})

/**
 * Byte-pair encoding whose merges may pass through symbols that are not in the vocabulary, as in fairseq, where the
 * vocabulary has the symbols of a corpus after all merges. Such symbols that remain in a word are unknown.
 */
function symbolBpe(settings: {
  vocab: TokenTable
  merges: string[]
  unk_token: string
  /** Id of `unk_token`. */
  unknown: number
  end_of_word_suffix: string
}): WordModel {
  const { vocab, merges, unk_token, unknown } = settings
  const firstOther = vocab.idLimit
  const symbols = withSymbols(vocab, merges)
  const bpe = makeTokenizerStep('model', { ...settings, type: 'BPE', vocab: symbols }, 'SymbolBPE')
  return {
    vocab,
    unknownToken: unk_token,
    encode(word) {
      const pieces = bpe.encode(word)
      return { ...pieces, ids: pieces.ids.map((id) => (id < firstOther ? id : unknown)) }
    },
    files: () => ({
      'vocab.json': `${JSON.stringify(vocab)}\n`,
      'merges.txt': merges.map((merge) => `${merge}\n`).join(''),
    }),
  }
}

/** The vocabulary with all symbols of the merges, which get further ids. */
function withSymbols(vocab: TokenTable, merges: readonly string[]): TokenTable {
  const all = new TokenTable()
  let next = vocab.idLimit
  for (const [token, id] of vocab) all.set(token, id)
  for (const merge of merges) {
    const [left, right] = merge.split(' ')
    for (const symbol of [left, right, left + right])
      if (all.get(symbol) === undefined) all.set(symbol, next++)
  }
  return all
}
