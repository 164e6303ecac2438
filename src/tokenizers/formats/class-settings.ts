// What tokenizer_config.json changes of a tokenizer.json: the classes of transformers build some steps anew from it.
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

/** A tokenizer.json with the steps that the class of its config builds. Settings that are not applied cause a warning. */
export function withClassSettings(json: unknown, config: TokenizerConfig, source: string): unknown {
  if (!isJsonObject(json)) return json
  const name = isReadAsItIs(classOf(config), json) ? BACKEND : classOf(config)
  warnOfConfigKeys(config, { name, file: 'tokenizer.json', source })
  if (BERT.test(name)) return withBertNormalizer(json, config)
  return BYTE_LEVEL.test(name) ? withPrefixSpace(json, config) : json
}

/** Names the settings of a config that have an effect in transformers and none here. */
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

/** Llama's class does not read the files of Llama 3, and its older files put a space before each text themselves. */
function isReadAsItIs(name: string, { normalizer, pre_tokenizer }: JsonObject): boolean {
  const has = (step: unknown, type: string) => JSON.stringify(step ?? null).includes(`"${type}"`)
  return name === 'Llama' && (has(normalizer, 'Prepend') || has(pre_tokenizer, 'ByteLevel'))
}

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
