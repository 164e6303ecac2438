import type { Tokenizer as Engine } from '@huggingface/tokenizers'
import { HeedError } from '../util/errors.ts'
import { checkTokenizerConfig, checkTokenizerJson } from './check-json.ts'
import { cutBeforeSpaces } from './cut-text.ts'
import { byteStream, type DecodeStream, windowStream } from './decode-stream.ts'
import { cutsAtSpaces, makeEngine } from './pipeline.ts'
import type { TokenizerConfig, TokenizerJson, TokenSetting } from './tokenizer-json.ts'

/**
 * Text to token ids and back, as Hugging Face's `tokenizer.json` describes it. The ids are the
 * ones that Python's `tokenizers` gives.
 */
export class Tokenizer {
  /** The highest id and one: how many rows an embedding needs. */
  readonly vocabSize: number
  readonly bosTokenId: number | undefined
  readonly eosTokenId: number | undefined
  readonly unkTokenId: number | undefined
  readonly padTokenId: number | undefined
  /** What `tokenizer_config.json` says. */
  readonly config: TokenizerConfig
  private readonly json: TokenizerJson
  private readonly engine: Engine
  private readonly cuts: boolean
  private readonly special: Set<number>

  private constructor(json: TokenizerJson, config: TokenizerConfig) {
    this.json = json
    this.config = config
    this.engine = makeEngine(json, config)
    this.cuts = cutsAtSpaces(json)
    const added = json.added_tokens ?? []
    this.special = new Set(added.filter((token) => token.special).map((token) => token.id))
    this.vocabSize = this.engine.model?.vocab.length ?? 0
    this.bosTokenId = this.idOf(config.bos_token)
    this.eosTokenId = this.idOf(config.eos_token) ?? this.usualEnd()
    this.unkTokenId = this.idOf(config.unk_token) ?? this.engine.model?.unk_token_id
    this.padTokenId = this.idOf(config.pad_token)
  }

  /** Loads a `tokenizer.json`, or a folder with one (or with `vocab.json` and `merges.txt`). */
  static async fromFile(path: string): Promise<Tokenizer> {
    const { loadTokenizer } = await import('./files.ts') // browsers have no files
    return loadTokenizer(path)
  }

  /** From the contents of `tokenizer.json` and `tokenizer_config.json`. Both are kept, not copied. */
  static fromJSON(json: unknown, config: unknown = {}, source = 'tokenizer.json'): Tokenizer {
    const settings = checkTokenizerConfig(config, `the tokenizer_config.json of ${source}`)
    try {
      return new Tokenizer(checkTokenizerJson(json, source), settings)
    } catch (cause) {
      if (cause instanceof HeedError) throw cause
      throw new HeedError(`${source} is not a usable tokenizer: ${messageOf(cause)}`, { cause })
    }
  }

  /**
   * The ids of a text. Special tokens written in it become their ids; `addSpecialTokens` (default
   * true) also puts those around it that the tokenizer's template asks for.
   */
  encode(text: string, options: { addSpecialTokens?: boolean } = {}): number[] {
    if (typeof text !== 'string') throw new HeedError(`cannot encode ${typeof text}, only text`)
    const ids: number[] = []
    const parts = this.cuts ? cutBeforeSpaces([text], PART) : [text]
    for (const part of parts) this.encodePart(part, options.addSpecialTokens ?? true, ids)
    return ids
  }

  /**
   * The ids of a long text that comes in pieces: joined they are the ids of the whole, without
   * the template's tokens. Where the tokenizer allows it, little of the text is held at a time.
   */
  *encodePieces(pieces: Iterable<string>): Generator<number[]> {
    const size = this.cuts ? PART : Number.POSITIVE_INFINITY
    for (const part of cutBeforeSpaces(pieces, size)) {
      const ids: number[] = []
      this.encodePart(part, false, ids)
      yield ids
    }
  }

  /** Text from ids. Ids without a token are left out, as in Python. */
  decode(ids: Iterable<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    const { skipSpecialTokens = false } = options
    const known = Array.from(ids).filter((id) => this.shows(id, skipSpecialTokens))
    if (known.length === 0) return ''
    return this.guard('decode these ids', () =>
      this.engine.decode(known, {
        skip_special_tokens: skipSpecialTokens,
        clean_up_tokenization_spaces: this.config.clean_up_tokenization_spaces === true,
      }),
    )
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

  tokenToId(token: string): number | undefined {
    return this.engine.token_to_id(token)
  }

  idToToken(id: number): string | undefined {
    return this.engine.id_to_token(id)
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
    const { saveTokenizer } = await import('./files.ts')
    await saveTokenizer(this, folder, options)
  }

  private encodePart(text: string, addSpecialTokens: boolean, out: number[]): void {
    const { ids } = this.guard('encode this text', () =>
      this.engine.encode(text, { add_special_tokens: addSpecialTokens }),
    )
    for (const id of ids as (number | undefined)[]) {
      if (id === undefined) {
        throw new HeedError('the text has a word that the tokenizer does not know', {
          remedy: 'The tokenizer names no unknown token (unk_token) to put in its place.',
        })
      }
      out.push(id)
    }
  }

  private shows(id: number, skipSpecialTokens: boolean): boolean {
    if (!Number.isInteger(id) || id < 0) throw new HeedError(`${id} is not a token id`)
    return this.idToToken(id) !== undefined && !(skipSpecialTokens && this.special.has(id))
  }

  private idOf(setting: TokenSetting | undefined): number | undefined {
    const token = typeof setting === 'string' ? setting : setting?.content
    return typeof token === 'string' ? this.tokenToId(token) : undefined
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
      throw new HeedError(`the tokenizer cannot ${task}: ${messageOf(cause)}`, { cause })
    }
  }
}

const PART = 1 << 18
const USUAL_ENDS = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>']

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
