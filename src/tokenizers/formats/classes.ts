import { isJsonObject } from '../../io/files/json-parse.ts'
import type { TokenizerConfig } from './tokenizer-json.ts'

const END = '<|endoftext|>'
const BERT = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
}
const ROBERTA = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  sep_token: '</s>',
  pad_token: '<pad>',
  cls_token: '<s>',
  mask_token: '<mask>',
}
const T5 = { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' }
const LLAMA = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' }
const GEMMA = {
  bos_token: '<bos>',
  eos_token: '<eos>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
}

const BIOGPT = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  sep_token: '</s>',
  pad_token: '<pad>',
}

/** Default special tokens of the classes of transformers. */
const NAMES: Readonly<Record<string, TokenizerConfig>> = {
  Bert: BERT,
  DistilBert: BERT,
  Electra: BERT,
  GPT2: { bos_token: END, eos_token: END, unk_token: END },
  Qwen2: { eos_token: END, unk_token: END, pad_token: END },
  BioGpt: BIOGPT,
  OpenAIGPT: { unk_token: '<unk>' },
  Roberta: ROBERTA,
  XLMRoberta: ROBERTA,
  Camembert: ROBERTA,
  T5,
  Llama: LLAMA,
  CodeLlama: LLAMA,
  Gemma: GEMMA,
}

/** The name of a class without its suffix: `BertTokenizerFast` is `Bert`. */
export function classOf(config: TokenizerConfig): string {
  return (config.tokenizer_class ?? '').replace(/Tokenizer(?:Fast)?$/, '')
}

/** Adds the default special tokens of its class, or of `byDefault`, to a config. Existing keys are kept, even null. */
export function withClassTokens(config: TokenizerConfig, byDefault = ''): TokenizerConfig {
  const name = classOf(config)
  const names = Object.hasOwn(NAMES, name) ? NAMES[name] : NAMES[byDefault]
  return { ...names, ...config }
}

/** Adds those default special tokens to a config that are added tokens of a tokenizer.json. */
export function withKnownClassTokens(config: TokenizerConfig, json: unknown): TokenizerConfig {
  const name = classOf(config)
  const added: unknown = isJsonObject(json) ? json.added_tokens : []
  const contents = new Set(
    (Array.isArray(added) ? added : []).map((token: unknown) =>
      isJsonObject(token) ? token.content : undefined,
    ),
  )
  const names = Object.entries(Object.hasOwn(NAMES, name) ? NAMES[name] : {})
  return {
    ...Object.fromEntries(
      names.filter(([, token]) => typeof token === 'string' && contents.has(token)),
    ),
    ...config,
  }
}
