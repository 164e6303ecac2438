import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds, ruleOf } from '../util/options.ts'
import { warn } from '../util/warn.ts'
import type { ChatMessage, ChatTemplateOptions } from './chat/chat-template.ts'
import type { EncodeChatOptions, EncodedChat } from './chat/encode-chat.ts'
import {
  additionalTokensOf,
  type SpecialTokens,
  specialTokensOf,
  withConfigTokens,
} from './chat/special-tokens.ts'
import { type Batch, type PaddingOptions, pad } from './encode/batch.ts'
import { cleanUp } from './encode/clean-up.ts'
import { cutBeforeSpaces } from './encode/cut-text.ts'
import { cutsAtSpaces } from './encode/cuts-at-spaces.ts'
import { continued, type DecodeStream, pieceStream, windowStream } from './encode/decode-stream.ts'
import { Encoder, normalizedContent } from './encode/encoder.ts'
import { assemble, type Encoding, type TruncationOptions } from './encode/encoding.ts'
import { withoutTables } from './encode/model-settings.ts'
import { PLAIN_TEMPLATE } from './encode/post-processors.ts'
import { trimOffsets } from './encode/trim-offsets.ts'
import type { LoadTokenizerOptions } from './formats/files.ts'
import { type Pipeline, readTokenizerConfig, readTokenizerJson } from './formats/read-json.ts'
import type { AddedTokenJson, TokenizerConfig, TokenizerJson } from './formats/tokenizer-json.ts'
import { Vocabulary } from './vocabulary.ts'

/** Options of `Tokenizer.encodeWithOffsets`. */
export interface EncodeOptions extends TruncationOptions {
  /** Second text of a pair, such as the context of a question. */
  pair?: string
  /** Add the special tokens of the tokenizer's template around the text. Default true. */
  addSpecialTokens?: boolean
}

/** Options of `Tokenizer.decodeStream`. */
export interface DecodeStreamOptions {
  /** Omit special tokens. Default false. */
  skipSpecialTokens?: boolean
  /** Ids of a preceding text, which is not returned. */
  after?: Iterable<number>
}

/** Options of `Tokenizer.batch`. */
export type BatchOptions = Omit<EncodeOptions, 'pair'> & PaddingOptions

const ENCODE_WITH_OFFSETS = optionKinds<EncodeOptions>({
  pair: 'text?',
  addSpecialTokens: 'flag?',
  maxLength: 'count?',
  truncation: 'text?',
  truncationSide: 'text?',
})
const ENCODE = optionKinds<Pick<EncodeOptions, 'addSpecialTokens'>>({ addSpecialTokens: 'flag?' })
const DECODE_STREAM = optionKinds<DecodeStreamOptions>({
  skipSpecialTokens: 'flag?',
  after: 'iterable?',
})
const checkDecode = argumentKinds('decode', {
  ids: 'iterable',
  options: optionKinds<{ skipSpecialTokens?: boolean }>({ skipSpecialTokens: 'flag?' }),
})
const checkBatch = argumentKinds('batch', {
  texts: 'list',
  options: optionKinds<BatchOptions>({
    addSpecialTokens: 'flag?',
    maxLength: 'count?',
    truncation: 'text?',
    truncationSide: 'text?',
    padding: 'text?',
    padToLength: 'count?',
    padToMultipleOf: { ...ruleOf('size?'), try: [8, 64] },
    padTokenId: 'count?',
  }),
})

const checkFromFile = argumentKinds('Tokenizer.fromFile', {
  path: 'text',
  options: optionKinds<LoadTokenizerOptions>({ asTarget: 'flag?' }),
})
const checkSave = argumentKinds('Tokenizer.save', {
  folder: 'text',
  options: optionKinds<{ modelMaxLength?: number }>({ modelMaxLength: 'count?' }),
})

/**
 * Converts text to token ids and back, as defined by a `tokenizer.json`. Ids are identical to those of Python's
 * `tokenizers`.
 */
export class Tokenizer {
  /** The highest id plus one: the number of rows of an embedding matrix. */
  readonly vocabSize: number
  /** Contents of `tokenizer_config.json`. */
  readonly config: TokenizerConfig
  /** Named special tokens of the config (`bos_token`, `mask_token` …). */
  readonly specialTokens: SpecialTokens
  private readonly json: TokenizerJson
  private readonly added: readonly AddedTokenJson[]
  private readonly pipeline: Pipeline
  private readonly vocabulary: Vocabulary
  private readonly encoder: Encoder
  private readonly cuts: boolean
  private readonly special: ReadonlySet<string>
  /** Text of added tokens that are normalised. */
  private readonly normalized: ReadonlyMap<number, string>

  private constructor(
    json: TokenizerJson & { added_tokens: AddedTokenJson[] },
    config: TokenizerConfig,
    { pipeline, source }: { pipeline: Pipeline; source: string },
  ) {
    const added = json.added_tokens
    this.json = json
    this.added = added
    this.config = config
    this.pipeline = pipeline
    this.specialTokens = specialTokensOf(config)
    this.vocabulary = new Vocabulary(pipeline.model.vocab, added, source)
    this.encoder = new Encoder(pipeline, added, (id) => this.idToToken(id) ?? '')
    this.cuts = cutsAtSpaces(pipeline, added)
    this.special = new Set(added.filter(({ special }) => special).map(({ content }) => content))
    this.normalized = new Map(
      added.map((token) => [token.id, normalizedContent(token, pipeline.normalizer)]),
    )
    this.vocabSize = this.vocabulary.size
  }

  /** Id of the token at the start of a text; undefined if the tokenizer has none. */
  get bosTokenId(): number | undefined {
    return this.idOf('bos_token')
  }

  /** Id of the token at the end of a text; without one in the config, a usual one such as `</s>`. */
  get eosTokenId(): number | undefined {
    return this.idOf('eos_token') ?? this.usualEnd()
  }

  /** Id of the token for unknown words or characters; undefined if the tokenizer has none. */
  get unkTokenId(): number | undefined {
    const { unknownToken } = this.pipeline.model
    const ofModel = unknownToken === undefined ? undefined : this.tokenToId(unknownToken)
    return this.idOf('unk_token') ?? ofModel
  }

  /** Id of the token between two texts; undefined if the tokenizer has none. */
  get sepTokenId(): number | undefined {
    return this.idOf('sep_token')
  }

  /** Id of the padding token; undefined if the tokenizer has none. */
  get padTokenId(): number | undefined {
    return this.idOf('pad_token')
  }

  /** Id of the token whose output represents the whole text; undefined if the tokenizer has none. */
  get clsTokenId(): number | undefined {
    return this.idOf('cls_token')
  }

  /** Id of the token in place of a word to predict; undefined if the tokenizer has none. */
  get maskTokenId(): number | undefined {
    return this.idOf('mask_token')
  }

  /** Ids of the additional special tokens of the config in order, such as T5's sentinels `<extra_id_0>` …. */
  get additionalSpecialTokenIds(): number[] {
    const ids = additionalTokensOf(this.config).map((token) => this.tokenToId(token))
    return ids.filter((id) => id !== undefined)
  }

  /**
   * Loads a tokenizer from a `tokenizer.json`, a folder with one or with another supported format, or a GGUF file.
   * @throws HeedError if the path has no tokenizer, or if it is damaged or unsupported
   */
  static async fromFile(path: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
    checkFromFile(path, options)
    const { loadTokenizer } = await import('./formats/files.ts') // not available in browsers
    return loadTokenizer(path, options)
  }

  /**
   * Makes a tokenizer from the contents of `tokenizer.json` and `tokenizer_config.json`.
   * @throws HeedError that names the invalid key
   */
  static fromJSON(json: unknown, config: unknown = {}, source = 'tokenizer.json'): Tokenizer {
    const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${source}`)
    const { json: file, pipeline } = readTokenizerJson(json, source)
    const added_tokens = withConfigTokens(file.added_tokens, pipeline.model, settings)
    warnOfIds(file.added_tokens, added_tokens, source)
    return new Tokenizer({ ...file, added_tokens }, settings, { pipeline, source })
  }

  /**
   * Encodes a text to ids. Special tokens written in the text become their ids; `addSpecialTokens` (default true) also
   * adds those of the tokenizer's template around it.
   */
  encode(text: string, options: { addSpecialTokens?: boolean } = {}): number[] {
    checkText(text)
    ENCODE.check('encode', options)
    const ids: number[] = []
    const stretches = this.cuts ? cutBeforeSpaces([text], STRETCH) : [text]
    for (const each of stretches) this.encodeStretch(each, options.addSpecialTokens ?? true, ids)
    return ids
  }

  /**
   * Cuts a long text, given in pieces, into parts that can be encoded independently: their concatenated ids are those
   * of the whole text. If the tokenizer does not allow cuts, there is one part.
   */
  cutPieces(pieces: Iterable<string>): Iterable<string> {
    if (typeof pieces !== 'string') checkArgument('cutPieces', 'pieces', pieces, 'iterable')
    return cutBeforeSpaces(pieces, this.cuts ? STRETCH : Number.POSITIVE_INFINITY)
  }

  /**
   * Encodes a long text, given in pieces. The concatenated ids are those of the whole text without special tokens of
   * the template. Memory use is bounded if the tokenizer allows cuts.
   */
  *encodePieces(pieces: Iterable<string>): Generator<number[]> {
    for (const stretch of this.cutPieces(pieces)) {
      const ids: number[] = []
      this.encodeStretch(stretch, false, ids)
      yield ids
    }
  }

  /** Encodes a text or a pair to tokens with offsets, truncated to `maxLength` if it is set. */
  encodeWithOffsets(text: string, options: EncodeOptions = {}): Encoding {
    ENCODE_WITH_OFFSETS.check('encodeWithOffsets', options)
    const { pair, addSpecialTokens = true } = options
    const tokenOf = (id: number) => this.idToToken(id) ?? ''
    const { postProcessor } = this.pipeline
    const { trim = [] } = postProcessor
    const texts = (pair === undefined ? [text] : [text, pair]).map((each) => {
      checkText(each)
      const tokens = guard('encode', () => this.encoder.encodeWithOffsets(each))
      return trim.reduce((trimmed, { first }) => trimOffsets(trimmed, each, first), tokens)
    })
    const truncationSide = options.truncationSide ?? sideOf(this.config.truncation_side)
    return assemble(texts, postProcessor, {
      ...options,
      truncationSide,
      addSpecialTokens,
      tokenOf,
    })
  }

  /** Encodes texts or pairs to a padded batch of ids (B, T), with attention mask and token types. */
  batch(texts: readonly (string | readonly [string, string])[], options: BatchOptions = {}): Batch {
    checkBatch(texts, options)
    const {
      padding: _,
      padToLength: __,
      padToMultipleOf: ___,
      padTokenId: ____,
      ...encoding
    } = options
    const encodings = texts.map((text) => {
      if (!Array.isArray(text)) return this.encodeWithOffsets(text as string, encoding)
      return this.encodeWithOffsets(text[0], { ...encoding, pair: text[1] })
    })
    return pad(encodings, {
      ...options,
      padding: options.padding ?? sideOf(this.config.padding_side),
      padTokenId: options.padTokenId ?? this.padTokenId ?? this.eosTokenId,
    })
  }

  /**
   * Renders messages with the chat template of the tokenizer. The text contains the special tokens, so encode it with
   * `addSpecialTokens: false`.
   * @throws HeedError if there is no template, or if the template fails
   */
  async applyChatTemplate(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions = {},
  ): Promise<string> {
    const { renderChat } = await import('./chat/chat-template.ts') // most programs do not need it
    return renderChat(this.config, this.specialTokens, messages, options).text
  }

  /**
   * Encodes a conversation with its chat template, and marks the tokens that the assistant writes, like
   * `apply_chat_template(return_assistant_tokens_mask=True)` of transformers. They are what `{% generation %}` encloses in
   * the template. For other templates they are what an answer adds to the prompt before it, up to the special token that
   * ends the turn: exactly the tokens that a model has to generate.
   * @throws HeedError if no message is an answer of the assistant, if the template renders a message differently in a
   * longer conversation, and if it ends an answer without a special token
   */
  async encodeChat(
    messages: readonly ChatMessage[],
    options: EncodeChatOptions = {},
  ): Promise<EncodedChat> {
    const { encodeChat } = await import('./chat/encode-chat.ts')
    return encodeChat(this, messages, options)
  }

  /**
   * Finds the special token that the chat template puts after an answer, at which generation stops; undefined if there is
   * none.
   * @throws HeedError if there is no template, or if the template fails
   */
  async endOfTurn(options: EncodeChatOptions = {}): Promise<number | undefined> {
    const { endOfTurn } = await import('./chat/encode-chat.ts')
    return endOfTurn(this, options)
  }

  /** Decodes ids to text. As in Python, ids without a token are skipped. */
  decode(ids: Iterable<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    checkDecode(ids, options)
    const { skipSpecialTokens = false } = options
    const tokens = Array.from(ids)
      .filter((id) => this.shows(id, skipSpecialTokens))
      .map((id) => this.decoded(id) ?? '')
    if (tokens.length === 0) return ''
    const text = guard('decode', () => this.pipeline.decoder(tokens).join(''))
    return this.cleansUp ? cleanUp(text) : text
  }

  /**
   * Decodes ids one at a time. The concatenated text is that of `decode`. Text is returned as soon as later ids cannot
   * change it.
   * @param options.after ids of a preceding text: the result is the text that `decode` of all ids adds to `decode` of
   * these ids
   */
  decodeStream(options: DecodeStreamOptions = {}): DecodeStream {
    DECODE_STREAM.check('decodeStream', options)
    const { after, ...decoding } = options
    const stream = this.streamOf(decoding.skipSpecialTokens ?? false)
    if (after === undefined) return stream
    const ids = Array.from(after)
    return continued(stream, ids, this.decode(ids, decoding))
  }

  /**
   * The bytes that a token adds inside a text, which may be an incomplete character. Null for special tokens and ids
   * without a token.
   */
  tokenBytes(id: number): Uint8Array | null {
    const token = this.idToToken(id)
    if (token === undefined || this.isSpecial(id)) return null
    const { decoder, model } = this.pipeline
    if (this.added.some((added) => added.id === id)) return utf8.encode(token)
    if (decoder.bytesOf) return decoder.bytesOf(token)
    const byte = model.byteFallback ? /^<0x([0-9A-F]{2})>$/i.exec(token) : null
    if (byte) return Uint8Array.of(Number.parseInt(byte[1], 16))
    // Decode it twice and use the second one, because a token may lose its space at the start of a text.
    const [first, both] = [this.decode([id]), this.decode([id, id])]
    return both.startsWith(first) ? utf8.encode(both.slice(first.length)) : null
  }

  /** Text of the files that `save` writes in addition to the two of each tokenizer, by name. Most have none. */
  get vocabularyFiles(): Readonly<Record<string, string>> {
    return this.pipeline.model.files?.() ?? {}
  }

  /** The id of a token; undefined if it is not in the vocabulary. */
  tokenToId(token: string): number | undefined {
    checkArgument('tokenToId', 'token', token, 'text')
    return this.vocabulary.idOf(token)
  }

  /** The token of an id; undefined if there is none. */
  idToToken(id: number): string | undefined {
    checkArgument('idToToken', 'id', id, 'count')
    return this.vocabulary.tokenOf(id)
  }

  /** Whether `skipSpecialTokens` omits this token. */
  isSpecial(id: number): boolean {
    return this.special.has(this.decoded(id) ?? '')
  }

  /** Returns the contents of `tokenizer.json`. */
  toJSON(): TokenizerJson {
    return { ...this.json, model: withoutTables(this.json.model) }
  }

  /** Saves `tokenizer.json` and `tokenizer_config.json`, which `AutoTokenizer` can load. */
  async save(folder: string, options: { modelMaxLength?: number } = {}): Promise<void> {
    checkSave(folder, options)
    const { saveTokenizer } = await import('./formats/save.ts')
    await saveTokenizer(this, folder, options)
  }

  private encodeStretch(text: string, addSpecialTokens: boolean, out: number[]): void {
    const { template = PLAIN_TEMPLATE } = this.pipeline.postProcessor
    for (const item of (addSpecialTokens ? template : PLAIN_TEMPLATE).single) {
      if ('special' in item) out.push(...item.special)
      else guard('encode', () => this.encoder.encode(text, out))
    }
  }

  private streamOf(skipSpecialTokens: boolean): DecodeStream {
    const skip = (id: number): boolean => !this.shows(id, skipSpecialTokens)
    const { stream } = this.pipeline.decoder
    if (!stream) return windowStream(skip, (ids) => this.decode(ids, { skipSpecialTokens }))
    const tokenOf = (id: number): string => this.decoded(id) ?? ''
    return pieceStream({ skip, tokenOf, stream, cleans: this.cleansUp })
  }

  /** Like transformers 5: not for BPE, unless the config forces it. */
  private get cleansUp(): boolean {
    const { clean_up_tokenization_spaces: cleans, [CLEAN_UP_BPE]: insists } = this.config
    return cleans === true && (insists === true || !this.pipeline.model.keepsSpaces)
  }

  private shows(id: number, skipSpecialTokens: boolean): boolean {
    if (!Number.isInteger(id) || id < 0)
      throw invalidOption({
        key: 'ids',
        value: id,
        expected: 'whole numbers from 0',
        remedy: 'Pass ids returned by encode() or generated by a model.',
      })
    return this.idToToken(id) !== undefined && !(skipSpecialTokens && this.isSpecial(id))
  }

  /** The token as passed to the decoder. */
  private decoded(id: number): string | undefined {
    return this.normalized.get(id) ?? this.idToToken(id)
  }

  private idOf(name: keyof SpecialTokens): number | undefined {
    const token = this.specialTokens[name]
    return token === undefined ? undefined : this.tokenToId(token)
  }

  /** End-of-text tokens of configs that do not name one, such as GPT-2's, whose class in transformers does. */
  private usualEnd(): number | undefined {
    const ids = USUAL_ENDS.map((token) => this.tokenToId(token))
    return ids.find((id) => id !== undefined && this.isSpecial(id))
  }
}

const STRETCH = 1 << 18
const utf8 = new TextEncoder()
const CLEAN_UP_BPE = 'clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output'
const USUAL_ENDS = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>']

function checkText(text: unknown): void {
  if (typeof text === 'string') return
  throw invalidOption({
    key: 'text',
    value: text,
    expected: 'a string',
    remedy: 'Convert the value with String() first.',
  })
}

/** Warns about wrong ids of added tokens, which are ignored as in Python. */
function warnOfIds(
  file: readonly AddedTokenJson[],
  added: readonly AddedTokenJson[],
  source: string,
): void {
  const ids = new Map(added.map(({ content, id }) => [content, id]))
  const wrong = file.find(({ content, id }) => ids.get(content) !== id)
  if (!wrong) return
  const id = ids.get(wrong.content)
  warn(
    `added_tokens in ${source} must have the next free ids, got ${wrong.id} for ` +
      `${JSON.stringify(wrong.content)}; it is ${id}, as in Python's tokenizers.`,
  )
}

/** Converts errors of user-defined steps and unusual files, which may throw anything. */
function guard<T>(task: 'encode' | 'decode', work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof HeedError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HeedError('invalid-data', `The tokenizer could not ${task}: ${reason}`, {
      cause,
      remedy: 'Check the steps in its tokenizer.json, especially user-defined ones.',
    })
  }
}

function sideOf(setting: unknown): 'left' | 'right' | undefined {
  return setting === 'left' || setting === 'right' ? setting : undefined
}
