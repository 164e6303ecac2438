import { isJsonObject } from '../../io/files/json-parse.ts'
import { type SpecialTokens, specialTokensOf, withConfigTokens } from '../chat/special-tokens.ts'
import { around, type TokenAndId } from './around.ts'
import { classOf, withClassTokens } from './classes.ts'
import type { ComponentJson, TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'

/**
 * Converts vocab.json and merges.txt, which older folders have instead of tokenizer.json, to the two files of a
 * tokenizer. The class of the config determines how text is split; unknown classes use the split of GPT-2.
 */
export function bpeFiles(
  vocab: unknown,
  merges: string,
  config: TokenizerConfig,
): { json: TokenizerJson; config: TokenizerConfig } {
  const named = withClassTokens(config, 'GPT2')
  const name = classOf(config)
  const steps = (Object.hasOwn(STEPS, name) ? STEPS[name] : gpt2)(named)
  const json: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    ...steps,
    post_processor: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      ...steps.model,
      vocab, // checked where it is read
      merges: mergesOf(merges),
    },
  }
  const post_processor = postProcessor(name, named, idsOf(vocab, named))
  return { json: { ...json, post_processor }, config: named }
}

/** The ids of named tokens after the tokenizer is opened. */
function idsOf(vocab: unknown, config: TokenizerConfig) {
  const ids = new Map<string, number>()
  for (const [token, id] of Object.entries(isJsonObject(vocab) ? vocab : {}))
    if (typeof id === 'number') ids.set(token, id)
  for (const { content, id } of withConfigTokens([], { vocab: ids }, config)) ids.set(content, id)
  const names = specialTokensOf(config)
  return (key: keyof SpecialTokens): TokenAndId | undefined => {
    const token = names[key] ?? ''
    const id = ids.get(token)
    return id === undefined ? undefined : [token, id]
  }
}

interface Steps {
  normalizer?: ComponentJson
  pre_tokenizer: ComponentJson
  decoder: ComponentJson
  model?: ComponentJson
}

/** Lines of merges.txt. Those of fairseq have a third column, the count of the pair. */
const mergesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map((line) => line.split(' ').slice(0, 2).join(' '))

const gpt2 = (config: TokenizerConfig): Steps => ({
  pre_tokenizer: byteLevel(config, true),
  decoder: DECODER,
})

/** Steps by class of transformers. */
const STEPS: Record<string, (config: TokenizerConfig) => Steps> = {
  Qwen2: (config) => ({
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: QWEN2 }, behavior: 'Isolated', invert: false },
        byteLevel(config, false),
      ],
    },
    decoder: DECODER,
  }),
  BioGpt: (config) => ({
    pre_tokenizer: { type: 'Moses' },
    decoder: { type: 'Moses', suffix: '</w>' },
    model: {
      type: 'SymbolBPE',
      unk_token: specialTokensOf(config).unk_token ?? '<unk>',
      end_of_word_suffix: '</w>',
    },
  }),
  OpenAIGPT: () => ({
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'BPEDecoder', suffix: '</w>' },
    model: { unk_token: '<unk>', end_of_word_suffix: '</w>' },
  }),
}

/** Qwen 2's pattern for splitting text into words. */
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|" +
  '\\s+(?!\\S)|\\s+'

const DECODER = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }

function byteLevel(config: TokenizerConfig, use_regex: boolean): ComponentJson {
  const add_prefix_space = config.add_prefix_space === true
  return { type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex }
}

/** Adds the tokens of the class around a text, or those enabled by `add_bos_token` and `add_eos_token`. */
function postProcessor(
  name: string,
  config: TokenizerConfig,
  idOf: (key: keyof SpecialTokens) => TokenAndId | undefined,
): ComponentJson | null {
  const [cls, sep] = [idOf('cls_token'), idOf('sep_token')]
  if (name === 'Roberta' && cls && sep) {
    const trim_offsets = config.trim_offsets !== false
    const add_prefix_space = config.add_prefix_space === true
    return { type: 'RobertaProcessing', cls, sep, trim_offsets, add_prefix_space }
  }
  if (name === 'BioGpt') return around(sep)
  return around(
    config.add_bos_token === true ? idOf('bos_token') : undefined,
    config.add_eos_token === true ? idOf('eos_token') : undefined,
  )
}
