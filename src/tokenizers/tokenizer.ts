import { HeedError } from '../util/errors.ts'
import type { ChatMessage, ChatTemplateOptions } from './chat/chat-template.ts'
import {
  additionalTokensOf,
  type SpecialTokens,
  specialTokensOf,
  withDeclaredTokens,
} from './chat/special-tokens.ts'
import { type Batch, type PaddingOptions, pad } from './encode/batch.ts'
import { fromByteChars } from './encode/byte-level.ts'
import { cutBeforeSpaces } from './encode/cut-text.ts'
import { cutsAtSpaces } from './encode/cuts-at-spaces.ts'
import { byteStream, type DecodeStream, windowStream } from './encode/decode-stream.ts'
import { cleanUp, type Decoder, makeDecoder } from './encode/decoders.ts'
import { Encoder } from './encode/encoder.ts'
import { assemble, type Encoding, type TruncationOptions } from './encode/encoding.ts'
import { makePostProcessor, type PostProcessor } from './encode/post-processor.ts'
import { trimOffsets } from './encode/trim-offsets.ts'
import { checkTokenizerConfig, checkTokenizerJson } from './formats/check-json.ts'
import type { LoadTokenizerOptions } from './formats/files.ts'
import type { TokenizerConfig, TokenizerJson } from './formats/tokenizer-json.ts'
import { Vocabulary } from './vocabulary.ts'

export interface EncodeOptions extends TruncationOptions {
  /** A second text, as the answer to a question. */
  pair?: string
  /** Puts the special tokens around the text that the tokenizer's template asks for. Default true. */
  addSpecialTokens?: boolean
}

export type BatchOptions = Omit<EncodeOptions, 'pair'> & PaddingOptions

/**
 * Text to token ids and back, as Hugging Face's `tokenizer.json` describes it. The ids are the
 * ones that Python's `tokenizers` gives.
 */
export class Tokenizer {
  /** The highest id and one: how many rows an embedding needs. */
  readonly vocabSize: number
  /** What `tokenizer_config.json` says. */
  readonly config: TokenizerConfig
  /** The special tokens that the config names (`bos_token`, `mask_token` …). */
  readonly specialTokens: SpecialTokens
  private readonly json: TokenizerJson
  private readonly vocabulary: Vocabulary
  private readonly encoder: Encoder
  private readonly decoder: Decoder
  private readonly postProcessor: PostProcessor
  private readonly cuts: boolean
  private readonly special: Set<number>

  private constructor(json: TokenizerJson, config: TokenizerConfig) {
    this.json = json
    this.config = config
    this.specialTokens = specialTokensOf(config)
    this.vocabulary = new Vocabulary(json)
    this.encoder = new Encoder(json, this.vocabulary.model)
    this.decoder = makeDecoder(json.decoder)
    this.postProcessor = makePostProcessor(json.post_processor)
    this.cuts = cutsAtSpaces(json)
    const added = json.added_tokens ?? []
    this.special = new Set(added.filter((token) => token.special).map((token) => token.id))
    this.vocabSize = this.vocabulary.size
  }

  get bosTokenId(): number | undefined {
    return this.idOf('bos_token')
  }

  get eosTokenId(): number | undefined {
    return this.idOf('eos_token') ?? this.usualEnd()
  }

  get unkTokenId(): number | undefined {
    const { unk_token, unk_id } = this.json.model
    const ofModel = typeof unk_token === 'string' ? this.tokenToId(unk_token) : unk_id
    return this.idOf('unk_token') ?? (ofModel as number | null | undefined) ?? undefined
  }

  get sepTokenId(): number | undefined {
    return this.idOf('sep_token')
  }

  get padTokenId(): number | undefined {
    return this.idOf('pad_token')
  }

  get clsTokenId(): number | undefined {
    return this.idOf('cls_token')
  }

  get maskTokenId(): number | undefined {
    return this.idOf('mask_token')
  }

  /** Further special tokens that the config names, as T5's sentinels `<extra_id_0>` …; in order. */
  get additionalSpecialTokenIds(): number[] {
    const ids = additionalTokensOf(this.config).map((token) => this.tokenToId(token))
    return ids.filter((id) => id !== undefined)
  }

  /** Loads a `tokenizer.json`, a folder with one (or with `vocab.json` and `merges.txt`), or a GGUF file's. */
  static async fromFile(path: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
    const { loadTokenizer } = await import('./formats/files.ts') // browsers have no files
    return loadTokenizer(path, options)
  }

  /** From the contents of `tokenizer.json` and `tokenizer_config.json`. Both are kept, not copied. */
  static fromJSON(json: unknown, config: unknown = {}, source = 'tokenizer.json'): Tokenizer {
    const settings = checkTokenizerConfig(config, `the tokenizer_config.json of ${source}`)
    try {
      return new Tokenizer(withDeclaredTokens(checkTokenizerJson(json, source), settings), settings)
    } catch (cause) {
      if (cause instanceof HeedError) throw cause
      throw new HeedError(
        'corrupt-file',
        `${source} is not a usable tokenizer: ${messageOf(cause)}`,
        { cause },
      )
    }
  }

  /**
   * The ids of a text. Special tokens written in it become their ids; `addSpecialTokens` (default
   * true) also puts those around it that the tokenizer's template asks for.
   */
  encode(text: string, options: { addSpecialTokens?: boolean } = {}): number[] {
    if (typeof text !== 'string')
      throw new HeedError('corrupt-file', `cannot encode ${typeof text}, only text`)
    const ids: number[] = []
    const parts = this.cuts ? cutBeforeSpaces([text], PART) : [text]
    for (const part of parts) this.encodePart(part, options.addSpecialTokens ?? true, ids)
    return ids
  }

  /**
   * Cuts a long text that comes in pieces into parts that can be encoded by themselves: their ids one
   * behind the other are those of the whole. One part where the tokenizer does not allow that.
   */
  cutPieces(pieces: Iterable<string>): Iterable<string> {
    return cutBeforeSpaces(pieces, this.cuts ? PART : Number.POSITIVE_INFINITY)
  }

  /**
   * The ids of a long text that comes in pieces: joined they are the ids of the whole, without
   * the template's tokens. Where the tokenizer allows it, little of the text is held at a time.
   */
  *encodePieces(pieces: Iterable<string>): Generator<number[]> {
    for (const part of this.cutPieces(pieces)) {
      const ids: number[] = []
      this.encodePart(part, false, ids)
      yield ids
    }
  }

  /** A text with what its tokens are and where they stand, cut to `maxLength` when that is given. */
  encodeWithOffsets(text: string, options: EncodeOptions = {}): Encoding {
    const { pair, addSpecialTokens = true } = options
    const tokenOf = (id: number) => this.idToToken(id) ?? ''
    const { trim } = this.postProcessor
    const texts = (pair === undefined ? [text] : [text, pair]).map((each) => {
      if (typeof each !== 'string')
        throw new HeedError('corrupt-file', `cannot encode ${typeof each}, only text`)
      const tokens = this.guard('encode this text', () => this.encoder.encodeWithOffsets(each))
      return trim ? trimOffsets(tokens, each, tokenOf, trim.first) : tokens
    })
    const truncationSide = options.truncationSide ?? sideOf(this.config.truncation_side)
    return assemble(texts, this.postProcessor, {
      ...options,
      truncationSide,
      addSpecialTokens,
      tokenOf,
    })
  }

  /** Texts, or pairs of texts, as one rectangle of ids with attention masks and token types. */
  batch(texts: readonly (string | readonly [string, string])[], options: BatchOptions = {}): Batch {
    const encodings = texts.map((text) => {
      if (typeof text === 'string') return this.encodeWithOffsets(text, options)
      return this.encodeWithOffsets(text[0], { ...options, pair: text[1] })
    })
    return pad(encodings, {
      ...options,
      padding: options.padding ?? sideOf(this.config.padding_side),
      padTokenId: options.padTokenId ?? this.padTokenId ?? this.eosTokenId,
    })
  }

  /**
   * The text that the tokenizer's chat template makes of messages. It holds the special tokens:
   * encode it with `addSpecialTokens: false`.
   */
  async applyChatTemplate(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions = {},
  ): Promise<string> {
    const { renderChat } = await import('./chat/chat-template.ts') // few who encode text chat
    return renderChat(this.config, this.specialTokens, messages, options)
  }

  /** Text from ids. Ids without a token are left out, as in Python. */
  decode(ids: Iterable<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    const { skipSpecialTokens = false } = options
    const known = Array.from(ids).filter((id) => this.shows(id, skipSpecialTokens))
    if (known.length === 0) return ''
    const tokens = known.map((id) => this.idToToken(id) as string)
    const text = this.guard('decode these ids', () => this.decoder(tokens).join(''))
    return this.config.clean_up_tokenization_spaces === true ? cleanUp(text) : text
  }

  /** Decodes ids one at a time; text comes out as soon as its last character is whole. */
  decodeStream(options: { skipSpecialTokens?: boolean } = {}): DecodeStream {
    const { skipSpecialTokens = false } = options
    const skip = (id: number) => !this.shows(id, skipSpecialTokens)
    if (this.json.decoder?.type === 'ByteLevel' && !this.config.clean_up_tokenization_spaces) {
      const added = new Set(this.json.added_tokens?.map((token) => token.id))
      return byteStream(skip, added, (id) => this.idToToken(id) ?? '')
    }
    return windowStream(skip, (ids) => this.decode(ids, options))
  }

  /**
   * The bytes that a token adds to the middle of a text, perhaps a part of a character; null for special
   * tokens and for ids without a token.
   */
  tokenBytes(id: number): Uint8Array | null {
    const token = this.idToToken(id)
    if (token === undefined || this.special.has(id)) return null
    if (this.json.added_tokens?.some((added) => added.id === id)) return utf8.encode(token)
    if (this.json.decoder?.type === 'ByteLevel') return fromByteChars(token)
    const byte = this.json.model.byte_fallback === true && /^<0x([0-9A-F]{2})>$/i.exec(token)
    if (byte) return Uint8Array.of(Number.parseInt(byte[1], 16))
    // Of two alike the second: at the front of a text, a token may lose its space.
    const [one, two] = [this.decode([id]), this.decode([id, id])]
    return two.startsWith(one) ? utf8.encode(two.slice(one.length)) : null
  }

  tokenToId(token: string): number | undefined {
    return this.vocabulary.idOf(token)
  }

  idToToken(id: number): string | undefined {
    return this.vocabulary.tokenOf(id)
  }

  /** Is this a token such as the end of the text, which `skipSpecialTokens` leaves out? */
  isSpecial(id: number): boolean {
    return this.special.has(id)
  }

  /** The contents of `tokenizer.json`. */
  toJSON(): TokenizerJson {
    return this.json
  }

  /** Writes `tokenizer.json` and `tokenizer_config.json`, as `AutoTokenizer` reads them. */
  async save(folder: string, options: { modelMaxLength?: number } = {}): Promise<void> {
    const { saveTokenizer } = await import('./formats/files.ts')
    await saveTokenizer(this, folder, options)
  }

  private encodePart(text: string, addSpecialTokens: boolean, out: number[]): void {
    const items = addSpecialTokens ? this.postProcessor.template.single : [TEXT]
    for (const item of items) {
      if ('special' in item) out.push(...item.special)
      else this.guard('encode this text', () => this.encoder.encode(text, out))
    }
  }

  private shows(id: number, skipSpecialTokens: boolean): boolean {
    if (!Number.isInteger(id) || id < 0)
      throw new HeedError('corrupt-file', `${id} is not a token id`)
    return this.idToToken(id) !== undefined && !(skipSpecialTokens && this.special.has(id))
  }

  private idOf(name: keyof SpecialTokens): number | undefined {
    const token = this.specialTokens[name]
    return token === undefined ? undefined : this.tokenToId(token)
  }

  /** GPT-2's own config names no end of text; its class does. */
  private usualEnd(): number | undefined {
    const ids = USUAL_ENDS.map((token) => this.tokenToId(token))
    return ids.find((id) => id !== undefined && this.special.has(id))
  }

  private guard<T>(task: string, work: () => T): T {
    try {
      return work()
    } catch (cause) {
      if (cause instanceof HeedError) throw cause
      throw new HeedError('corrupt-file', `the tokenizer cannot ${task}: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
}

const TEXT = { sequence: 'A', typeId: 0 } as const
const PART = 1 << 18
const utf8 = new TextEncoder()
const USUAL_ENDS = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>']

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function sideOf(setting: unknown): 'left' | 'right' | undefined {
  return setting === 'left' || setting === 'right' ? setting : undefined
}
