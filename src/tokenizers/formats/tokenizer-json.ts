// Types of the two tokenizer files of a Hugging Face folder.

export const END_OF_TEXT = '<|endoftext|>'
export const UNKNOWN = '<unk>'

/** Contents of `tokenizer.json`. Other keys are preserved. */
export interface TokenizerJson {
  /** Version of the format: `1.0`. */
  version?: string
  /** Tokens that are found in the text before it is split, such as special tokens. */
  added_tokens?: AddedTokenJson[]
  /** Step that rewrites the text; null for none. */
  normalizer: ComponentJson | null
  /** Step that splits the text into words; null for none. */
  pre_tokenizer: ComponentJson | null
  /** Step that adds special tokens; null for none. */
  post_processor: ComponentJson | null
  /** Step that joins tokens to text; null to join them with spaces. */
  decoder: ComponentJson | null
  /** Step that splits words into tokens, with the vocabulary. */
  model: ComponentJson
  [key: string]: unknown
}

/** An entry of `added_tokens`. */
export interface AddedTokenJson {
  /** Id of the token. */
  id: number
  /** Text of the token. */
  content: string
  /** Whether decoding can skip it. Default false. */
  special?: boolean
  /** Whether it includes white space to its left. Default false. */
  lstrip?: boolean
  /** Whether it includes white space to its right. Default false. */
  rstrip?: boolean
  /** Whether it is found only between other characters than letters and digits. Default false. */
  single_word?: boolean
  /** Whether it is found in the normalized text. Default: unless it is special. */
  normalized?: boolean
}

/** A step in `tokenizer.json`: its type and its settings. */
export interface ComponentJson {
  /** Name of the step, such as `BPE` or `ByteLevel`. */
  type?: string
  [key: string]: unknown
}

/** Contents of `tokenizer_config.json`. Other keys are preserved. */
export interface TokenizerConfig {
  /** Class of the tokenizer in transformers. */
  tokenizer_class?: string
  /** Maximum number of tokens that the model reads. */
  model_max_length?: number
  /** Token at the start of a text. */
  bos_token?: TokenSetting
  /** Token at the end of a text. */
  eos_token?: TokenSetting
  /** Token for words or characters that are not in the vocabulary. */
  unk_token?: TokenSetting
  /** Token between two texts, and at the end. */
  sep_token?: TokenSetting
  /** Token that fills shorter texts of a batch. */
  pad_token?: TokenSetting
  /** Token at the start, whose output represents the whole text. */
  cls_token?: TokenSetting
  /** Token in place of a word to predict. */
  mask_token?: TokenSetting
  /** Whether decoding removes spaces before punctuation and in contractions. */
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
