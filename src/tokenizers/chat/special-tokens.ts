import { isJsonObject } from '../../io/files/json-parse.ts'
import { AddedVocabulary, type ModelTokens, type NewToken } from '../formats/added-vocabulary.ts'
import { addedToken } from '../formats/read-json.ts'
import type { AddedTokenJson, TokenizerConfig } from '../formats/tokenizer-json.ts'

/** Special tokens by their keys in `tokenizer_config.json`. */
export type SpecialTokens = { [Name in SpecialTokenName]?: string }

/**
 * Name of a special token in tokenizer_config.json.
 * @useDeclaredType
 */
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
    const token = newToken(config[name])
    if (token !== undefined) tokens[name] = token.content
  }
  return tokens
}

/** `additional_special_tokens`, such as T5's sentinels; transformers 5 calls them `extra_special_tokens`. */
export function additionalTokensOf(config: TokenizerConfig): string[] {
  return [...new Set(additional(config).map(({ content }) => content))]
}

/**
 * Merges the added tokens of a file with those of the config, in the order of transformers: `added_tokens_decoder` by
 * id, then the named special tokens, then the additional ones.
 */
export function withConfigTokens(
  fileTokens: readonly AddedTokenJson[],
  model: ModelTokens,
  config: TokenizerConfig,
): AddedTokenJson[] {
  const added = new AddedVocabulary(model)
  added.add(fileTokens)
  const names = [...named(config)]
  const isNamed = new Set(names.map(({ content }) => content))
  const fresh = declared(config).filter((token) => !isSame(token, added.get(token.content)))
  const known = new Set([...added.tokens, ...fresh].map(({ content }) => content))
  for (const token of [...names, ...additional(config)]) {
    if (known.has(token.content)) continue
    known.add(token.content)
    fresh.push(token)
  }
  added.add(
    fresh.map((token) => (isNamed.has(token.content) ? { ...token, special: true } : token)),
  )
  return added.tokens
}

/** The tokens of `added_tokens_decoder` by id. Invalid entries are skipped. */
function declared(config: TokenizerConfig): NewToken[] {
  if (!isJsonObject(config.added_tokens_decoder)) return []
  return Object.entries(config.added_tokens_decoder)
    .filter(([id, token]) => /^[0-9]{1,7}$/.test(id) && isJsonObject(token))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, token]) => newToken(token, false))
    .filter((token) => token !== undefined)
}

/** The tokens of the standard keys in order, then those of model-specific keys, such as `image_token`. */
function* named(config: TokenizerConfig): Generator<NewToken> {
  const own = Object.keys(config).filter((key) => key.endsWith('_token') && !isUsual(key))
  const extra = isJsonObject(config.extra_special_tokens) ? config.extra_special_tokens : {}
  const settings = [
    ...[...SPECIAL_TOKENS, ...own].map((key) => config[key]),
    ...Object.values(extra),
  ]
  for (const setting of settings) {
    const token = newToken(setting)
    if (token) yield token
  }
}

const isUsual = (key: string): boolean => SPECIAL_TOKENS.some((name) => name === key)

/** `extra_special_tokens` replaces `additional_special_tokens` unless it is empty. */
function additional(config: TokenizerConfig): NewToken[] {
  const extra: unknown = config.extra_special_tokens
  const isEmpty = Array.isArray(extra) ? extra.length === 0 : !isJsonObject(extra)
  const list: unknown = isEmpty ? config.additional_special_tokens : extra
  if (!Array.isArray(list)) return []
  return list.map((token: unknown) => newToken(token)).filter((token) => token !== undefined)
}

/** Reads a token given as a string, or as an object with `content`. */
function newToken(setting: unknown, special = true): NewToken | undefined {
  if (typeof setting === 'string') return { content: setting, special: true, normalized: false }
  if (!isJsonObject(setting)) return undefined
  const parsed = addedToken.safeParse({ special, ...setting, id: 0 })
  if (!parsed.success) return undefined
  const { content, single_word, lstrip, rstrip, normalized, special: isSpecial } = parsed.data
  return { content, single_word, lstrip, rstrip, normalized, special: isSpecial }
}

/** Whether a token already exists with the same settings. */
function isSame(token: NewToken, added: AddedTokenJson | undefined): boolean {
  if (!added) return false
  const isNormalized = (each: NewToken) => each.normalized ?? !each.special
  return (
    FLAGS.every((flag) => (token[flag] ?? false) === (added[flag] ?? false)) &&
    isNormalized(token) === isNormalized(added)
  )
}

const FLAGS = ['special', 'single_word', 'lstrip', 'rstrip'] as const
