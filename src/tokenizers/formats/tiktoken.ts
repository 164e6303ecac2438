import { isJsonObject } from '../../io/files/json-parse.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { unknownName } from '../../util/registry.ts'
import { BYTE_CHARS } from '../encode/byte-level.ts'
import { MAX_ID } from '../encode/settings.ts'
import { mergesOf } from './merges-of.ts'
import {
  byteLevelJson,
  END_OF_TEXT,
  specialToken,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.ts'

/** Pattern and special tokens of an OpenAI encoding. */
export interface TiktokenEncoding {
  /** Pattern that matches a word, in Oniguruma's syntax. */
  pattern: string
  /** Ids of the special tokens, such as `<|endoftext|>`. */
  specialTokens: Record<string, number>
}

const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const UPPER = '\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}'
const LOWER = '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}'
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const OLD = {
  pattern: "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  specialTokens: { [END_OF_TEXT]: 50256 },
}

export const TIKTOKEN_ENCODINGS = {
  r50k_base: OLD,
  p50k_base: OLD,
  cl100k_base: {
    pattern: `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`,
    specialTokens: {
      [END_OF_TEXT]: 100257,
      '<|fim_prefix|>': 100258,
      '<|fim_middle|>': 100259,
      '<|fim_suffix|>': 100260,
      '<|endofprompt|>': 100276,
    },
  },
  o200k_base: {
    pattern:
      `[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]*[${LOWER}]+${CONTRACTION}?` +
      `|[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]+[${LOWER}]*${CONTRACTION}?` +
      `|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`,
    specialTokens: { [END_OF_TEXT]: 199999, '<|endofprompt|>': 200018 },
  },
} satisfies Record<string, TiktokenEncoding>

/**
 * Name of an OpenAI encoding.
 * @useDeclaredType
 */
export type TiktokenName = keyof typeof TIKTOKEN_ENCODINGS

export function isTiktokenName(name: string): name is TiktokenName {
  return Object.hasOwn(TIKTOKEN_ENCODINGS, name)
}

/** The text of a `.tiktoken` file (lines of base64, space, rank), or the bytes of tokens with their ranks (ids). */
export type TiktokenRanks = string | Iterable<readonly [bytes: Uint8Array, rank: number]>

const ENCODING = optionKinds<TiktokenEncoding>({ pattern: 'text', specialTokens: 'object' })

/** Converts tiktoken ranks to the two files of a tokenizer. */
export function tiktokenFiles(
  ranks: TiktokenRanks,
  encoding: TiktokenName | TiktokenEncoding,
): { json: TokenizerJson; config: TokenizerConfig } {
  if (typeof ranks !== 'string') checkArgument('tokenizerFromTiktoken', 'ranks', ranks, 'iterable')
  if (typeof encoding === 'string' && !Object.hasOwn(TIKTOKEN_ENCODINGS, encoding))
    throw unknownName('encoding', encoding, Object.keys(TIKTOKEN_ENCODINGS))
  const given = typeof encoding === 'string' ? TIKTOKEN_ENCODINGS[encoding] : encoding
  ENCODING.check('tokenizerFromTiktoken', Object(given))
  const { pattern, specialTokens } = given
  const ids = new Map<string, number>()
  for (const [bytes, rank] of typeof ranks === 'string' ? readLines(ranks) : ranks) {
    ids.set(Array.from(bytes, (byte) => BYTE_CHARS[byte]).join(''), rank)
  }
  const merges = mergesOf(ids, (token) => token.split(''))
  // Their ids do not directly follow the ranks, so the vocabulary must contain them too.
  for (const [token, id] of Object.entries(specialTokens)) ids.set(token, id)
  const special = Object.entries(specialTokens).map(([token, id]) => specialToken(token, id))
  const json = byteLevelJson(
    ids,
    merges.map(([left, right]) => `${left} ${right}`),
    special,
  )
  const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  const pre_tokenizer = { type: 'Sequence', pretokenizers: [split, bytes] }
  const model = { ...json.model, ignore_merges: true } // do not split words that are tokens
  const eos_token = Object.hasOwn(specialTokens, END_OF_TEXT) ? END_OF_TEXT : undefined
  const config = { tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false }
  return {
    json: { ...json, pre_tokenizer, model },
    config: { ...config, ...(eos_token && { eos_token }) },
  }
}

/**
 * Converts a `tiktoken.model`, whose name does not state its encoding. Text is split like in GPT-4. Special tokens of
 * the config follow the ranks, in the order of `added_tokens_decoder` if there is one.
 */
export function tiktokenModelFiles(
  ranks: string,
  config: TokenizerConfig,
): { json: TokenizerJson; config: TokenizerConfig } {
  const { pattern } = TIKTOKEN_ENCODINGS.cl100k_base
  const { json } = tiktokenFiles(ranks, { pattern, specialTokens: reservedTokens(ranks, config) })
  return { json, config }
}

/** Placeholders for unused ids after the ranks, so that the other tokens keep their ids. */
function reservedTokens(ranks: string, { added_tokens_decoder }: TokenizerConfig) {
  if (!isJsonObject(added_tokens_decoder)) return {}
  const tokens = Object.entries(added_tokens_decoder).map(([id, token]): [number, unknown] => [
    Number(id),
    isJsonObject(token) ? token.content : undefined,
  ])
  const named = new Map(tokens.filter(([id]) => id < MAX_ID))
  const special: Record<string, number> = {}
  const last = Math.max(-1, ...named.keys())
  for (let id = [...readLines(ranks)].length; id <= last; id++) {
    const token = named.get(id)
    special[typeof token === 'string' ? token : `<|reserved_token_${id}|>`] = id
  }
  return special
}

function* readLines(text: string): Generator<[Uint8Array, number]> {
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() === '') continue
    const [, base64, rank] = LINE.exec(line) ?? []
    if (base64 === undefined) {
      throw new HeedError(
        'corrupt-file',
        `Lines of tiktoken ranks must be a base64 token, a space and a whole number, got ${shown(line)} on line ${number}`,
        { value: line, remedy: 'Copy or download the file again.' },
      )
    }
    yield [Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)), Number(rank)]
  }
}

const LINE = /^((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?) ([0-9]{1,8})\r?$/
