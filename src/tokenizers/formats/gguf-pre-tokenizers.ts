// Pre-tokenizers of byte-level BPE by their names in GGUF files (`tokenizer.ggml.pre`), with the patterns in the
// tokenizer.json of the models.
import { HeedError, shown } from '../../util/errors.ts'
import type { ComponentJson } from './tokenizer-json.ts'

export interface PreTokenizing {
  normalizer: ComponentJson | null
  pre_tokenizer: ComponentJson
  /** Whether a word that is a token is kept, regardless of merges. */
  ignoreMerges: boolean
  /** Default for starting texts with the bos token. */
  addsBos: boolean
}

/** Returns a pre-tokenizer by name. @throws HeedError for unknown names, because another one would give other ids */
export function preTokenizerNamed(name = 'default', path: string): PreTokenizing {
  const family = FAMILIES.find(({ names }) => names.includes(name))
  if (family) return family
  const known = FAMILIES.flatMap(({ names }) => names).join(', ')
  throw new HeedError(
    'unsupported',
    `\`tokenizer.ggml.pre\` in ${path} must be a known pre-tokenizer, got ${shown(name)}`,
    {
      key: 'tokenizer.ggml.pre',
      value: name,
      remedy: `Use the tokenizer.json of the model, or convert the model again. Known: ${known}.`,
    },
  )
}

const LETTERS = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+'
const ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const SIGNS = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*'
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const BEFORE = '[^\\r\\n\\p{L}\\p{N}]?'
const PATHS = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*'

const bytes = (use_regex: boolean): ComponentJson => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: false,
  use_regex,
})

const steps = (...pretokenizers: ComponentJson[]): ComponentJson => ({
  type: 'Sequence',
  pretokenizers,
})

const words = (pattern: string): ComponentJson => splits(pattern)

const split = (pattern: string): ComponentJson => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
})

/** Splits by several patterns in order. */
const splits = (...patterns: string[]): ComponentJson => steps(...patterns.map(split), bytes(false))

const QWEN = words(`${ENDINGS}|${LETTERS}|\\p{N}|${SIGNS}|${SPACES}`)
const LLAMA3 = words(`${ENDINGS}|${LETTERS}|\\p{N}{1,3}|${SIGNS}|${SPACES}`)
/** Words of GPT-2. The text between them is white space. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"

/** Cased letters in scripts and symbols that DeepSeek's first vocabulary excludes. */
const CASELESS =
  '\u0560\u0588\u10c7\u10cd\u10d0-\u10fa\u10fd-\u10ff\u1c80-\u1c8a\u2d00-\u2d25\u2d27\u2d2d\ua790-\ua7dc\ua7f5-\ua7fa' +
  '\uab30-\uab5a\uab60-\uab68\u{10570}-\u{105bc}\u{10d50}-\u{10d85}\u{16e40}-\u{16ed3}\u{1d400}-\u{1d7cb}' +
  '\u{1df00}-\u{1df2a}'
const CASED = `(?:(?![${CASELESS}])[\\p{Lu}\\p{Ll}\\p{Lt}])+`
const EAST_ASIAN = '[一-龥ࠀ-一가-\ud7ff]+'

const plain = { normalizer: null, ignoreMerges: false, addsBos: false }

const FAMILIES: readonly (PreTokenizing & { names: readonly string[] })[] = [
  {
    ...plain,
    names: [
      ...['gpt-2', 'phi-2', 'roberta-bpe', 'mpt', 'olmo', 'jais', 'gigachat', 'jina-es', 'jina-de'],
      ...['jina-v1-en', 'jina-v2-es', 'jina-v2-de', 'jina-v2-code', 'a.x-4.0', 'mellum', 'exaone4'],
      ...['modern-bert', 'trillion', 'granite-docling'],
    ],
    pre_tokenizer: bytes(true),
  },
  {
    ...plain,
    names: [
      ...['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'],
      'mellum2',
    ],
    pre_tokenizer: steps({ type: 'Digits', individual_digits: true }, bytes(true)),
  },
  {
    ...plain,
    names: [
      ...['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2'],
      'jina-v5-nano',
    ],
    pre_tokenizer: LLAMA3,
    ignoreMerges: true,
    addsBos: true,
  },
  { ...plain, names: ['dbrx', 'smaug-bpe', 'chatglm-bpe'], pre_tokenizer: LLAMA3 },
  { ...plain, names: ['glm4', 'glm5'], pre_tokenizer: LLAMA3, ignoreMerges: true },
  { ...plain, names: ['qwen2'], normalizer: { type: 'NFC' }, pre_tokenizer: QWEN },
  {
    ...plain,
    names: [
      ...['deepseek-r1-qwen', 'kormo', 'f2llmv2', 'stablelm2', 'hunyuan', 'megrez', 'solar-open'],
      'grok-2',
    ],
    pre_tokenizer: QWEN,
  },
  {
    ...plain,
    names: ['qwen35'],
    pre_tokenizer: words(
      `${ENDINGS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${SPACES}`,
    ),
  },
  {
    ...plain,
    names: ['tekken'],
    pre_tokenizer: words(
      `${BEFORE}${UPPER}*${LOWER}+|${BEFORE}${UPPER}+${LOWER}*|\\p{N}|${PATHS}|${SPACES}`,
    ),
    ignoreMerges: true,
    addsBos: true,
  },
  {
    ...plain,
    names: ['gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2'],
    pre_tokenizer: words(
      `${BEFORE}${UPPER}*${LOWER}+${ENDINGS}?|${BEFORE}${UPPER}+${LOWER}*${ENDINGS}?|\\p{N}{1,3}|${PATHS}|${SPACES}`,
    ),
  },
  {
    ...plain,
    names: ['deepseek-llm'],
    pre_tokenizer: splits(
      '[\\r\\n]',
      `\\s?${CASED}`,
      '\\s?[!-/:-~！-／：-～‘-‟　-。]+',
      '\\s+$',
      EAST_ASIAN,
      '\\p{N}+',
    ),
  },
  {
    ...plain,
    names: ['deepseek-coder'],
    pre_tokenizer: splits('[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', EAST_ASIAN, '\\p{N}'),
  },
  {
    ...plain,
    names: ['deepseek-v3', 'hunyuan-dense', 'joyai-llm', 'hy_v4'],
    pre_tokenizer: splits(
      '\\p{N}{1,3}',
      '[一-龥぀-ゟ゠-ヿ]+',
      '[!-/:-@\\[-`{-~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|' +
        SPACES,
    ),
  },
  {
    ...plain,
    names: ['falcon'],
    pre_tokenizer: splits('[\\p{P}$+<=>^~|`]+', GPT2, '[0-9][0-9][0-9]'),
  },
  {
    ...plain,
    names: ['bloom', 'poro-chat', 'gpt3-finnish'],
    pre_tokenizer: splits(' ?[^(\\s|.,!?…。，、।۔،)]+'),
  },
  {
    ...plain,
    names: ['viking'],
    pre_tokenizer: splits(' ?[^(\\s|.,!?…。，、।۔،)]+', '\\p{N}'),
  },
  // Also for files without a name, which are older than the key.
  {
    ...plain,
    names: ['default'],
    pre_tokenizer: splits('[\\p{P}$+<=>^~|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'),
  },
]
