import { z } from 'zod'
import { schemaError } from '../schema-error.ts'
import { tiktokenFiles } from './tiktoken.ts'
import { specialToken, type TokenizerConfig, type TokenizerJson } from './tokenizer-json.ts'

const bytes = z.base64().transform((text) => {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
})

const tekken = z.object({
  config: z.object({
    pattern: z.string(),
    default_vocab_size: z.int().min(0).nullish(),
    default_num_special_tokens: z.int().min(0).max(100_000).nullish(),
  }),
  vocab: z.array(z.object({ token_bytes: bytes })),
  special_tokens: z.array(z.object({ rank: z.int().min(0), token_str: z.string().min(1) })),
})

const NAMES = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' }

/**
 * Converts Mistral's tekken.json, which has tokens by rank after special and reserved tokens.
 * @throws HeedError that names the invalid key; files without `special_tokens` are not supported
 */
export function tekkenFiles(
  value: unknown,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const result = tekken.safeParse(value, { reportInput: true })
  if (!result.success) throw schemaError(result.error, source)
  const { config: settings, vocab, special_tokens } = result.data
  const named = [...special_tokens].sort((a, b) => a.rank - b.rank).map((token) => token.token_str)
  const count = settings.default_num_special_tokens ?? named.length
  const special = Array.from({ length: Math.max(count, named.length) }, (_, id) => {
    return named[id] ?? `<SPECIAL_${id}>`
  })
  const size = (settings.default_vocab_size ?? vocab.length + count) - count
  const ranks = vocab.slice(0, Math.max(0, size)).map(({ token_bytes }, rank) => {
    return [token_bytes, rank + count] as const
  })
  const { pattern } = settings
  const { json } = tiktokenFiles(ranks, {
    pattern,
    specialTokens: Object.fromEntries(special.map((token, id) => [token, id])),
  })
  const added_tokens = special.map((token, id) => specialToken(token, id))
  return {
    json: { ...json, added_tokens },
    config: { tokenizer_class: 'PreTrainedTokenizerFast', ...NAMES, ...config },
  }
}
