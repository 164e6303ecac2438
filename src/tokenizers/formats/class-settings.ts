// What tokenizer_config.json changes of a tokenizer.json: the classes of transformers build some steps anew from it.
import { isJsonObject, type JsonObject } from '../../io/files/json.ts'
import { type UnreadKeys, warnOfUnreadKeys } from '../../util/unread-keys.ts'
import { classOf } from './classes.ts'
import type { TokenizerConfig } from './tokenizer-json.ts'

/** A tokenizer.json with the steps that the class of its config builds. Settings that are not applied cause a warning. */
export function withClassSettings(json: unknown, config: TokenizerConfig, source: string): unknown {
  if (!isJsonObject(json)) return json
  const name = classOf(config)
  const unread = LLAMA.test(name) && !isLegacy(json) ? { ...UNREAD, ...UNREAD_LLAMA } : UNREAD
  warnOfUnreadKeys(config, (key) => !Object.hasOwn(unread, key), unread, source)
  if (BERT.test(name)) return withBertNormalizer(json, config)
  return BYTE_LEVEL.test(name) ? withPrefixSpace(json, config) : json
}

const BERT = /^(Bert|DistilBert|Electra|MobileBert)$/
const BYTE_LEVEL = /^(GPT2|Roberta)$/
const LLAMA = /^Llama$/

/** Settings that are not applied, and the values with which they change nothing. */
const UNREAD: UnreadKeys = { split_special_tokens: [false], truncation_side: ['right'] }
const UNREAD_LLAMA: UnreadKeys = { legacy: [false], add_prefix_space: [true] }

/** Whether it puts a space before each text as older versions of Llama's class did. */
const isLegacy = ({ normalizer }: JsonObject): boolean =>
  JSON.stringify(normalizer ?? null).includes('"Prepend"')

/** These classes ignore the normaliser of the file, and those below the space before a text: defaults count. */
function withBertNormalizer(json: JsonObject, config: TokenizerConfig): JsonObject {
  const { normalizer } = json
  if (!isJsonObject(normalizer) || normalizer.type !== 'BertNormalizer') return json
  const { do_lower_case = true, strip_accents = null, tokenize_chinese_chars = true } = config
  const settings = {
    lowercase: do_lower_case === true,
    strip_accents: typeof strip_accents === 'boolean' ? strip_accents : null,
    handle_chinese_chars: tokenize_chinese_chars === true,
  }
  return { ...json, normalizer: { ...normalizer, ...settings } }
}

function withPrefixSpace(json: JsonObject, config: TokenizerConfig): JsonObject {
  const { pre_tokenizer } = json
  if (!isJsonObject(pre_tokenizer) || pre_tokenizer.type !== 'ByteLevel') return json
  const add_prefix_space = config.add_prefix_space === true
  return { ...json, pre_tokenizer: { ...pre_tokenizer, add_prefix_space } }
}
