import { isJsonObject } from '../../io/files/json-parse.ts'
import type {
  AddedTokenJson,
  TokenizerConfig,
  TokenizerJson,
  TokenSetting,
} from '../formats/tokenizer-json.ts'
import { Vocabulary } from '../vocabulary.ts'

/** The special tokens that `tokenizer_config.json` names, in its words. */
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

/** `additional_special_tokens`, as T5's sentinels; transformers 5 calls them `extra_special_tokens`. */
export function additionalTokensOf(config: TokenizerConfig): string[] {
  const lists = [config.additional_special_tokens, config.extra_special_tokens]
  const settings = lists.filter(Array.isArray).flat() as TokenSetting[]
  return [...new Set(settings.map(tokenText).filter((text) => text !== undefined))]
}

/**
 * The file with those tokens added that only `added_tokens_decoder` of the config declares, as
 * transformers does. What does not fit the vocabulary is left out.
 */
export function withDeclaredTokens(json: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const declared = config.added_tokens_decoder
  if (!isJsonObject(declared)) return json
  const { model: vocab } = new Vocabulary(json)
  const added = [...(json.added_tokens ?? [])]
  const known = new Set(added.map(({ content }) => content))
  const taken = new Set([...vocab.values(), ...added.map(({ id }) => id)])
  for (const [key, token] of Object.entries(declared)) {
    const id = /^[0-9]{1,7}$/.test(key) ? Number(key) : -1
    const content = isJsonObject(token) ? token.content : undefined
    if (id < 0 || typeof content !== 'string' || content === '' || known.has(content)) continue
    if (vocab.has(content) ? vocab.get(content) !== id : taken.has(id)) continue
    added.push({ ...(token as Partial<AddedTokenJson>), id, content })
    known.add(content)
    taken.add(id)
  }
  return { ...json, added_tokens: added }
}

function tokenText(setting: TokenSetting | undefined): string | undefined {
  const token = typeof setting === 'string' ? setting : setting?.content
  return typeof token === 'string' ? token : undefined
}
