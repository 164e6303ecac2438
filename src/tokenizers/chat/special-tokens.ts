import { isJsonObject } from '../../io/files/json-parse.ts'
import { addedToken } from '../formats/read-json.ts'
import type { AddedTokenJson, TokenizerConfig } from '../formats/tokenizer-json.ts'

/** The special tokens in `tokenizer_config.json`, by their keys. */
export type SpecialTokens = { [Name in SpecialTokenName]?: string }

export type SpecialTokenName = (typeof SPECIAL_TOKENS)[number]

export const SPECIAL_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const

export function specialTokensOf(config: TokenizerConfig): SpecialTokens {
  const tokens: SpecialTokens = {}
  for (const name of SPECIAL_TOKENS) {
    const text = tokenText(config[name])
    if (text !== undefined) tokens[name] = text
  }
  return tokens
}

/** `additional_special_tokens`, such as T5's sentinels; transformers 5 calls them `extra_special_tokens`. */
export function additionalTokensOf(config: TokenizerConfig): string[] {
  const lists = [config.additional_special_tokens, config.extra_special_tokens]
  const settings: unknown[] = lists.filter((list) => Array.isArray(list)).flat()
  return [...new Set(settings.map(tokenText).filter((text) => text !== undefined))]
}

/**
 * `added_tokens` with the tokens that only `added_tokens_decoder` of the config declares, as in transformers.
 * Entries that do not fit the vocabulary are left out.
 */
export function withDeclaredTokens(
  addedTokens: readonly AddedTokenJson[],
  vocab: ReadonlyMap<string, number>,
  config: TokenizerConfig,
): AddedTokenJson[] {
  const declared = config.added_tokens_decoder
  const added = [...addedTokens]
  if (!isJsonObject(declared)) return added
  const known = new Set(added.map(({ content }) => content))
  const taken = new Set([...vocab.values(), ...added.map(({ id }) => id)])
  for (const [key, token] of Object.entries(declared)) {
    const id = /^[0-9]{1,7}$/.test(key) ? Number(key) : -1
    const parsed = isJsonObject(token) ? addedToken.safeParse({ ...token, id }) : undefined
    if (!parsed?.success || known.has(parsed.data.content)) continue
    const { content } = parsed.data
    if (vocab.has(content) ? vocab.get(content) !== id : taken.has(id)) continue
    added.push(parsed.data)
    known.add(content)
    taken.add(id)
  }
  return added
}

function tokenText(setting: unknown): string | undefined {
  const token = isJsonObject(setting) ? setting.content : setting
  return typeof token === 'string' ? token : undefined
}
