import type { AlignedText } from './aligned-text.ts'
import type { Pieces } from './pieces.ts'

// What each step of a tokenizer does. Properties that a step has beside its call say what the tokenizer
// may rely on; they are optional.

/** The steps of a tokenizer, by their keys in `tokenizer.json`. */
export interface TokenizerSteps {
  normalizer: Normalizer
  pre_tokenizer: PreTokenizer
  model: WordModel
  post_processor: PostProcessor
  decoder: Decoder
}

/** Rewrites a text before it is split into words. */
export type Normalizer = (text: AlignedText) => AlignedText

/** Splits a text into words, and may rewrite them. */
export interface PreTokenizer {
  (text: AlignedText): AlignedText[]
  /** Splits where white space begins, whatever comes before: long texts may be encoded in parts. */
  readonly splitsAtSpaces?: boolean
  /** The same step without its last part, which writes each byte as a character. */
  readonly beforeBytes?: PreTokenizer
}

/** Tokens and their ids. A `Map` is one. */
export interface TokenIds extends Iterable<readonly [token: string, id: number]> {
  readonly size: number
  get(token: string): number | undefined
}

/** Splits a word into tokens of its vocabulary. */
export interface WordModel {
  encode(word: string): Pieces
  /** The id of each token. */
  readonly vocab: TokenIds
  /** The number of entries, if some tokens have several. */
  readonly size?: number
  /** The token for words or characters that the vocabulary lacks. */
  readonly unknownToken?: string
  /** Whether characters outside the vocabulary become the tokens of their bytes, `<0xE2>`. */
  readonly byteFallback?: boolean
  /** Whether each character is a token that does not depend on its neighbours. */
  readonly splitsCharacters?: boolean
  /** Whether decoded text is as it is, whatever `clean_up_tokenization_spaces` says (transformers 5: BPE). */
  readonly keepsSpaces?: boolean
}

/** Adds special tokens around the tokens of one or two texts. */
export interface PostProcessor {
  /** Without one, a text stands alone and a pair one after the other. */
  readonly template?: Template
  /** The same as a function, for a step that follows others in a `Sequence`. */
  readonly wrap?: (texts: Texts) => Texts
  /** Each entry removes white space from the offsets of tokens; `first` keeps a space that was added in front. */
  readonly trim?: readonly { readonly first: boolean }[]
}

export interface Template {
  readonly single: readonly TemplateItem[]
  readonly pair: readonly TemplateItem[]
}

/** The tokens around one or two texts, with the places of the texts; some steps make more texts of them. */
export type Texts = readonly (readonly TemplateItem[])[]

/** Special tokens by id, or the place of the first (A) or second (B) text. */
export type TemplateItem =
  | { readonly special: readonly number[]; readonly typeId: number }
  | { readonly sequence: 'A' | 'B'; readonly typeId: number }

/** Turns tokens into pieces of text, which are then joined. */
export interface Decoder {
  (tokens: string[]): string[]
  /** The bytes of a token, where each token stands for bytes of UTF-8 whatever its neighbours are. */
  readonly bytesOf?: (token: string) => Uint8Array
  /** The same for tokens one at a time, which gives `decodeStream` exactly the text of `decode`. */
  readonly stream?: (next: PieceSink) => PieceSink
}

/** Receives pieces of text in order. A piece may come in parts. */
export interface PieceSink {
  /** @param complete whether the piece ends with this text */
  push(text: string, complete: boolean): void
  /** No piece follows. */
  end(): void
}
