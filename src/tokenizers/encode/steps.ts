import type { AlignedText } from './aligned-text.ts'
import type { Pieces } from './pieces.ts'

// Interfaces of the steps of a tokenizer. Steps are functions; their optional properties state guarantees that the
// tokenizer may rely on.

/** The steps of a tokenizer by their keys in `tokenizer.json`. */
export interface TokenizerSteps {
  /** Rewrites the text. */
  normalizer: Normalizer
  /** Splits the text into words. */
  pre_tokenizer: PreTokenizer
  /** Splits words into tokens. */
  model: WordModel
  /** Adds special tokens. */
  post_processor: PostProcessor
  /** Joins tokens to text. */
  decoder: Decoder
}

/** Rewrites a text before it is split into words. */
export type Normalizer = (text: AlignedText) => AlignedText

/** Splits a text into words, and may rewrite them. */
export interface PreTokenizer {
  (text: AlignedText): AlignedText[]
  /** Whether it always splits before white space, so that long texts can be encoded in parts. */
  readonly splitsAtSpaces?: boolean
  /** The same step without the final conversion of bytes to characters. */
  readonly beforeBytes?: PreTokenizer
}

/** Tokens and their ids, such as a `Map`. */
export interface TokenIds extends Iterable<readonly [token: string, id: number]> {
  /** Number of tokens. */
  readonly size: number
  /** Returns the id of a token; undefined if it is not in the vocabulary. */
  get(token: string): number | undefined
}

/** Splits a word into tokens of its vocabulary. */
export interface WordModel {
  /** Returns the tokens of a word. */
  encode(word: string): Pieces
  /** Vocabulary. */
  readonly vocab: TokenIds
  /** Number of entries, if some tokens occur more than once. */
  readonly size?: number
  /** Token for words or characters that are not in the vocabulary. */
  readonly unknownToken?: string
  /** Whether characters outside of the vocabulary become byte tokens such as `<0xE2>`. */
  readonly byteFallback?: boolean
  /** Whether each character is a token that does not depend on its neighbours. */
  readonly splitsCharacters?: boolean
  /** Whether to ignore `clean_up_tokenization_spaces` (BPE in transformers 5). */
  readonly keepsSpaces?: boolean
  /** Files to save in addition to tokenizer.json, by name, for programs that do not know this model. */
  readonly files?: () => Readonly<Record<string, string>>
}

/** Adds special tokens around the tokens of one or two texts. */
export interface PostProcessor {
  /** Default: no special tokens; the texts of a pair are concatenated. */
  readonly template?: Template
  /** The same as a function, for a step in a `Sequence`. */
  readonly wrap?: (texts: Texts) => Texts
  /** Each entry trims white space from offsets. `first`: keep a space that was added at the start. */
  readonly trim?: readonly { readonly first: boolean }[]
}

/** Templates for a single text and for a pair. */
export interface Template {
  /** Items for one text. */
  readonly single: readonly TemplateItem[]
  /** Items for two texts. */
  readonly pair: readonly TemplateItem[]
}

/** One or two texts with the tokens around them. Some steps split them into more texts. */
export type Texts = readonly (readonly TemplateItem[])[]

/** Special tokens by id, or a placeholder for the first (A) or second (B) text. */
export type TemplateItem =
  | { readonly special: readonly number[]; readonly typeId: number }
  | { readonly sequence: 'A' | 'B'; readonly typeId: number }

/** Converts tokens to pieces of text, which are then joined. */
export interface Decoder {
  (tokens: string[]): string[]
  /** The UTF-8 bytes of a token, if they do not depend on neighbouring tokens. */
  readonly bytesOf?: (token: string) => Uint8Array
  /** Streaming version, so that `decodeStream` returns exactly the text of `decode`. */
  readonly stream?: (next: PieceSink) => PieceSink
}

/** Receives pieces of text in order. A piece may arrive in parts. */
export interface PieceSink {
  /** @param complete whether the piece ends with this text */
  push(text: string, complete: boolean): void
  /** Called after the last piece. */
  end(): void
}
