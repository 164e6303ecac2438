// Applies tokenizer_config.json to tokenizer.json: classes of transformers rebuild some steps from the config.
import { isJsonObject, type JsonObject } from '../../io/files/json.ts'
import { warnOfUnreadKeys } from '../../util/unread-keys.ts'
import { BACKEND } from './auto-class.ts'
import { classOf } from './classes.ts'
import {
  BERT,
  BYTE_LEVEL,
  isReadKey,
  unreadTokenizerKeys,
  type VocabularyFile,
} from './config-keys.ts'
import type { TokenizerConfig } from './tokenizer-json.ts'

/** Replaces the steps of a tokenizer.json that the class of its config rebuilds. Warns about unsupported settings. */
export function withClassSettings(json: unknown, config: TokenizerConfig, source: string): unknown {
  if (!isJsonObject(json)) return json
  const name = isReadAsItIs(classOf(config), json) ? BACKEND : classOf(config)
  warnOfConfigKeys(config, { name, file: 'tokenizer.json', source })
  if (BERT.test(name)) return withBertNormalizer(json, config)
  return BYTE_LEVEL.test(name) ? withPrefixSpace(json, config) : json
}

/** Warns about settings of a config that have an effect in transformers but not in Heed. */
export function warnOfConfigKeys(
  config: TokenizerConfig,
  { name = classOf(config), file, source }: { name?: string; file: VocabularyFile; source: string },
): void {
  warnOfUnreadKeys(
    config,
    (key) => isReadKey(key, name, file),
    unreadTokenizerKeys(name),
    `the tokenizer_config.json of ${source}`,
  )
}

/** Llama's class does not apply to files of Llama 3, and older files add the space before each text themselves. */
function isReadAsItIs(name: string, { normalizer, pre_tokenizer }: JsonObject): boolean {
  const has = (step: unknown, type: string) => JSON.stringify(step ?? null).includes(`"${type}"`)
  return name === 'Llama' && (has(normalizer, 'Prepend') || has(pre_tokenizer, 'ByteLevel'))
}

/** BERT's classes build the normaliser from the config and its defaults; they ignore that of the file. */
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

/** Byte-level classes take `add_prefix_space` from the config (default false) instead of the file. */
function withPrefixSpace(json: JsonObject, config: TokenizerConfig): JsonObject {
  const { pre_tokenizer } = json
  if (!isJsonObject(pre_tokenizer) || pre_tokenizer.type !== 'ByteLevel') return json
  const add_prefix_space = config.add_prefix_space === true
  return { ...json, pre_tokenizer: { ...pre_tokenizer, add_prefix_space } }
}
