// Pre-tokenizers of byte-level BPE by their names in GGUF files (`tokenizer.ggml.pre`), with the patterns of the models'
// tokenizer.json.
import { HeedError, shown } from '../../util/errors.ts'
import type { ComponentJson } from './tokenizer-json.ts'

export interface PreTokenizing {
  normalizer: ComponentJson | null
  pre_tokenizer: ComponentJson
  /** Whether a word that is a token is not split, whatever the merges are. */
  ignoreMerges: boolean
  /** Whether texts start with the bos token if the file does not say. */
  addsBos: boolean
}

/** @throws HeedError for an unknown name, because another pre-tokenizer would give other ids */
export function preTokenizerNamed(name: string | undefined, path: string): PreTokenizing {
  const family = FAMILIES.find(({ names }) => name !== undefined && names.includes(name))
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

const words = (pattern: string): ComponentJson =>
  steps(
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    bytes(false),
  )

const QWEN = words(`${ENDINGS}|${LETTERS}|\\p{N}|${SIGNS}|${SPACES}`)

const plain = { normalizer: null, ignoreMerges: false, addsBos: false }

const FAMILIES: readonly (PreTokenizing & { names: readonly string[] })[] = [
  { ...plain, names: ['gpt-2', 'phi-2', 'roberta-bpe'], pre_tokenizer: bytes(true) },
  {
    ...plain,
    names: ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell'],
    pre_tokenizer: steps({ type: 'Digits', individual_digits: true }, bytes(true)),
  },
  {
    ...plain,
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'smaug-bpe', 'dbrx'],
    pre_tokenizer: words(`${ENDINGS}|${LETTERS}|\\p{N}{1,3}|${SIGNS}|${SPACES}`),
    ignoreMerges: true,
    addsBos: true,
  },
  { ...plain, names: ['qwen2'], normalizer: { type: 'NFC' }, pre_tokenizer: QWEN },
  { ...plain, names: ['deepseek-r1-qwen'], pre_tokenizer: QWEN },
  {
    ...plain,
    names: ['tekken'],
    pre_tokenizer: words(
      `${BEFORE}${UPPER}*${LOWER}+|${BEFORE}${UPPER}+${LOWER}*|\\p{N}|${PATHS}|${SPACES}`,
    ),
    ignoreMerges: true,
  },
  {
    ...plain,
    names: ['gpt-4o', 'llama4'],
    pre_tokenizer: words(
      `${BEFORE}${UPPER}*${LOWER}+${ENDINGS}?|${BEFORE}${UPPER}+${LOWER}*${ENDINGS}?|\\p{N}{1,3}|${PATHS}|${SPACES}`,
    ),
  },
]
