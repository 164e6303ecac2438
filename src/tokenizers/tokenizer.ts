import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds, ruleOf } from '../util/options.ts'
import { warn } from '../util/warn.ts'
import type { ChatMessage, ChatTemplateOptions } from './chat/chat-template.ts'
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

export interface EncodeOptions extends TruncationOptions {
  /** A second text, such as the context of a question. */
  pair?: string
  /** Add the special tokens of the tokenizer's template around the text. Default true. */
  addSpecialTokens?: boolean
}

export interface DecodeStreamOptions {
  /** Leave special tokens out. Default false. */
  skipSpecialTokens?: boolean
  /** Ids of a text that is continued. */
  after?: Iterable<number>
}

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

/** Text to token ids and back, as a `tokenizer.json` describes it, with the ids of Python's `tokenizers`. */
export class Tokenizer {
  /** The highest id plus one: the number of rows of an embedding. */
  readonly vocabSize: number
  /** The contents of `tokenizer_config.json`. */
  readonly config: TokenizerConfig
  /** The special tokens that the config names (`bos_token`, `mask_token` …). */
  readonly specialTokens: SpecialTokens
  private readonly json: TokenizerJson
  private readonly added: readonly AddedTokenJson[]
  private readonly pipeline: Pipeline
  private readonly vocabulary: Vocabulary
  private readonly encoder: Encoder
  private readonly cuts: boolean
  private readonly special: ReadonlySet<string>
  /** Added tokens that decode to what the normaliser makes of them. */
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

  get bosTokenId(): number | undefined {
    return this.idOf('bos_token')
  }

  get eosTokenId(): number | undefined {
    return this.idOf('eos_token') ?? this.usualEnd()
  }

  get unkTokenId(): number | undefined {
    const { unknownToken } = this.pipeline.model
    const ofModel = unknownToken === undefined ? undefined : this.tokenToId(unknownToken)
    return this.idOf('unk_token') ?? ofModel
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

  /** Further special tokens of the config in order, such as T5's sentinels `<extra_id_0>` …. */
  get additionalSpecialTokenIds(): number[] {
    const ids = additionalTokensOf(this.config).map((token) => this.tokenToId(token))
    return ids.filter((id) => id !== undefined)
  }

  /** Loads a `tokenizer.json`, a folder with one (or with another format that Heed reads), or a GGUF file. */
  static async fromFile(path: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
    checkFromFile(path, options)
    const { loadTokenizer } = await import('./formats/files.ts') // not for browsers
    return loadTokenizer(path, options)
  }

  /**
   * From the contents of `tokenizer.json` and `tokenizer_config.json`.
   * @throws HeedError that names the key of the file that does not fit
   */
  static fromJSON(json: unknown, config: unknown = {}, source = 'tokenizer.json'): Tokenizer {
    const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${source}`)
    const { json: file, pipeline } = readTokenizerJson(json, source)
    const added_tokens = withConfigTokens(file.added_tokens, pipeline.model, settings)
    warnOfIds(file.added_tokens, added_tokens, source)
    return new Tokenizer({ ...file, added_tokens }, settings, { pipeline, source })
  }

  /**
   * The ids of a text. Special tokens written in it become their ids; `addSpecialTokens` (default true) also
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
   * Cuts a long text, given in pieces, into parts that can be encoded independently: their ids in order are
   * those of the whole text. There is one part if the tokenizer does not allow cuts.
   */
  cutPieces(pieces: Iterable<string>): Iterable<string> {
    if (typeof pieces !== 'string') checkArgument('cutPieces', 'pieces', pieces, 'iterable')
    return cutBeforeSpaces(pieces, this.cuts ? STRETCH : Number.POSITIVE_INFINITY)
  }

  /**
   * The ids of a long text, given in pieces: joined, they are the ids of the whole text without special
   * tokens around it. Memory stays small where the tokenizer allows cuts.
   */
  *encodePieces(pieces: Iterable<string>): Generator<number[]> {
    for (const stretch of this.cutPieces(pieces)) {
      const ids: number[] = []
      this.encodeStretch(stretch, false, ids)
      yield ids
    }
  }

  /** The tokens of a text with their offsets, truncated to `maxLength` if that is given. */
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

  /** Texts, or pairs of texts, as a rectangle of ids with attention masks and token types. */
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
   * The text that the tokenizer's chat template makes of messages. It contains the special tokens, so encode it
   * with `addSpecialTokens: false`.
   */
  async applyChatTemplate(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions = {},
  ): Promise<string> {
    const { renderChat } = await import('./chat/chat-template.ts') // most programs that encode text have no chat
    return renderChat(this.config, this.specialTokens, messages, options)
  }

  /** Text from ids. Ids without a token are left out, as in Python. */
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
   * Decodes ids one at a time: in sum the text of `decode`. Text is returned as soon as no later id can change it.
   * @param options.after ids of a text that is continued: the sum is what `decode` of all ids adds to `decode` of these
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
   * The bytes that a token adds inside a text, which may be a part of a character; null for special tokens and
   * for ids without a token.
   */
  tokenBytes(id: number): Uint8Array | null {
    const token = this.idToToken(id)
    if (token === undefined || this.isSpecial(id)) return null
    const { decoder, model } = this.pipeline
    if (this.added.some((added) => added.id === id)) return utf8.encode(token)
    if (decoder.bytesOf) return decoder.bytesOf(token)
    const byte = model.byteFallback ? /^<0x([0-9A-F]{2})>$/i.exec(token) : null
    if (byte) return Uint8Array.of(Number.parseInt(byte[1], 16))
    // The second of two: at the start of a text, a token may lose its space.
    const [first, both] = [this.decode([id]), this.decode([id, id])]
    return both.startsWith(first) ? utf8.encode(both.slice(first.length)) : null
  }

  /** Undefined where the vocabulary has no such token. */
  tokenToId(token: string): number | undefined {
    checkArgument('tokenToId', 'token', token, 'text')
    return this.vocabulary.idOf(token)
  }

  /** Undefined where the vocabulary has no such id. */
  idToToken(id: number): string | undefined {
    checkArgument('idToToken', 'id', id, 'count')
    return this.vocabulary.tokenOf(id)
  }

  /** Whether `skipSpecialTokens` leaves this token out, as the end of text. */
  isSpecial(id: number): boolean {
    return this.special.has(this.decoded(id) ?? '')
  }

  /** The contents of `tokenizer.json`. */
  toJSON(): TokenizerJson {
    return { ...this.json, model: withoutTables(this.json.model) }
  }

  /** Writes `tokenizer.json` and `tokenizer_config.json`, as `AutoTokenizer` reads them. */
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

  /** As transformers 5 does it: not for BPE, unless the config insists. */
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
        remedy: 'Give the ids that encode() returned, or that a model generated.',
      })
    return this.idToToken(id) !== undefined && !(skipSpecialTokens && this.isSpecial(id))
  }

  /** The token that the decoder sees. */
  private decoded(id: number): string | undefined {
    return this.normalized.get(id) ?? this.idToToken(id)
  }

  private idOf(name: keyof SpecialTokens): number | undefined {
    const token = this.specialTokens[name]
    return token === undefined ? undefined : this.tokenToId(token)
  }

  /** The config of GPT-2 does not name an end of text; its class in transformers does. */
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

/** Python's libraries ignore the id of an added token, and so does this one. */
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

/** Steps of users and unusual files may throw anything. */
function guard<T>(task: 'encode' | 'decode', work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof HeedError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HeedError('invalid-data', `The tokenizer could not ${task}: ${reason}`, {
      cause,
      remedy: 'Check the steps of its tokenizer.json, above all those that were registered.',
    })
  }
}

function sideOf(setting: unknown): 'left' | 'right' | undefined {
  return setting === 'left' || setting === 'right' ? setting : undefined
}
