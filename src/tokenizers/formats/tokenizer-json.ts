// Types of the two tokenizer files of a Hugging Face folder.

export const END_OF_TEXT = '<|endoftext|>'
export const UNKNOWN = '<unk>'

/** Contents of `tokenizer.json`. Other keys are preserved. */
export interface TokenizerJson {
  version?: string
  added_tokens?: AddedTokenJson[]
  normalizer: ComponentJson | null
  pre_tokenizer: ComponentJson | null
  post_processor: ComponentJson | null
  decoder: ComponentJson | null
  model: ComponentJson
  [key: string]: unknown
}

/** An entry of `added_tokens`. */
export interface AddedTokenJson {
  id: number
  content: string
  special?: boolean
  lstrip?: boolean
  rstrip?: boolean
  single_word?: boolean
  normalized?: boolean
}

/** A step in `tokenizer.json`: its type and its settings. */
export interface ComponentJson {
  type?: string
  [key: string]: unknown
}

/** Contents of `tokenizer_config.json`. Other keys are preserved. */
export interface TokenizerConfig {
  tokenizer_class?: string
  model_max_length?: number
  bos_token?: TokenSetting
  eos_token?: TokenSetting
  unk_token?: TokenSetting
  sep_token?: TokenSetting
  pad_token?: TokenSetting
  cls_token?: TokenSetting
  mask_token?: TokenSetting
  clean_up_tokenization_spaces?: boolean
  [key: string]: unknown
}

/** A special token in tokenizer_config.json: text, an object with `content`, or null for none. */
export type TokenSetting = string | { content: string } | null

/** Makes a tokenizer.json with GPT-2's steps and a byte-level vocabulary. Merges have the form `left right`. */
export function byteLevelJson(
  vocab: Iterable<readonly [token: string, id: number]>,
  merges: string[],
  specialTokens: AddedTokenJson[],
): TokenizerJson {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens,
    normalizer: null,
    pre_tokenizer: byteLevel({ add_prefix_space: false, trim_offsets: true }),
    post_processor: byteLevel({ add_prefix_space: true, trim_offsets: false }),
    decoder: byteLevel({ add_prefix_space: true, trim_offsets: true }),
    model: bpe({ unk_token: null, vocab, merges }),
  }
}

/** Makes a tokenizer.json with a token per character: BPE without merges, which all readers of these files support. */
export function charLevelJson(characters: string[]): TokenizerJson {
  const tokens = [UNKNOWN, ...characters]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [specialToken(UNKNOWN, 0)],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: bpe({
      unk_token: UNKNOWN,
      vocab: tokens.map((token, id) => [token, id] as const),
      merges: [],
    }),
  }
}

export function specialToken(content: string, id: number): AddedTokenJson {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }
}

function byteLevel(options: { add_prefix_space: boolean; trim_offsets: boolean }): ComponentJson {
  return { type: 'ByteLevel', ...options, use_regex: true }
}

function bpe(options: {
  unk_token: string | null
  vocab: Iterable<readonly [token: string, id: number]>
  merges: string[]
}): ComponentJson {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: options.unk_token,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: Object.fromEntries(options.vocab), // not by assignment: `__proto__` may be a token
    merges: options.merges,
  }
}
