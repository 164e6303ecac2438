import type { TypedArray } from '../graph/dtype.ts'
import { checkHead } from '../models/check-head.ts'
import type { Seq2SeqLM } from '../models/index.ts'
import { virtualTokenCount } from '../models/shared/virtual-tokens.ts'
import { evaluating } from '../nn/evaluating.ts'
import type { EncoderDecoderCache } from '../nn/index.ts'
import { type Held, type HeldInput, hold, noGrad } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { emptyBatch, notStarted } from './batch-decoder.ts'
import { powerOfTwo } from './power-of-two.ts'
import { checkNext, checkStart, type StepModel } from './step-model.ts'

// N sources, R rows (generated texts: the same number for each source), S source tokens

/**
 * Runs an encoder-decoder. Sources are padded at the end and encoded once; each generated token is a run of one program.
 * The cache of generated tokens doubles when it is full.
 */
export class Seq2SeqDecoder implements StepModel {
  private readonly model: Seq2SeqLM
  private sources: readonly (readonly number[])[] = []
  private readonly rooms = new Map<string, Room>()
  private room: Room | null = null

  /** Creates a decoder. @throws HeedError for a model that is not an encoder-decoder model */
  constructor(model: Seq2SeqLM) {
    checkHead('Seq2SeqDecoder', model, 'seq2seq-lm')
    this.model = model
  }

  /** Sets the source texts of the next `start`. */
  read(sources: readonly (readonly number[])[]): this {
    const { contextLength, vocabSize } = this.model
    checkArgument('read', 'sources', sources, 'lists')
    if (sources.length === 0) throw emptyBatch()
    for (const [i, source] of sources.entries()) {
      if (source.length > 0 && source.length <= contextLength) continue
      throw new HeedError(
        'invalid-option',
        `Text ${i} of the batch must have 1 to ${contextLength} tokens, got ${source.length}`,
        { remedy: 'Split the text into sentences.' },
      )
    }
    const wrong = sources.flat().find((token) => !Number.isSafeInteger(token) || token < 0)
    if (wrong !== undefined)
      throw new HeedError(
        'invalid-option',
        `Token ids must be whole numbers below ${vocabSize}, got ${wrong}`,
        { remedy: 'Use the tokenizer of the model.' },
      )
    this.sources = sources
    return this
  }

  /**
   * Starts texts. Returns the logits (R, V) of the next tokens.
   * @param prompts the first tokens of each text, all of the same length; the same number of texts for each source, in
   * the order of the sources
   */
  async start(prompts: readonly (readonly number[])[]): Promise<TypedArray> {
    checkStart(prompts)
    if (prompts.length === 0) throw emptyBatch()
    const [first] = prompts
    if (
      prompts.length % this.sources.length !== 0 ||
      prompts.some((p) => p.length !== first.length)
    )
      throw new HeedError(
        'invalid-option',
        `\`prompts\` must have the same length and the same number for each of ${this.sources.length} sources, got ${prompts.length} prompts`,
        { remedy: 'Pass one prompt for each source.' },
      )
    const longest = Math.max(...this.sources.map((source) => source.length))
    const sourceLength = Math.min(this.model.contextLength, powerOfTwo(longest, SHORTEST))
    this.room = this.roomFor(prompts.length, sourceLength, powerOfTwo(first.length + 1, FIRST_ROOM))
    return this.room.start(this.sources, prompts)
  }

  async next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray> {
    checkNext(tokens, order)
    if (!this.room) throw notStarted()
    if (this.room.full) {
      const { rows, sourceLength, capacity } = this.room
      const larger = this.roomFor(rows, sourceLength, 2 * capacity)
      await larger.takeOver(this.room)
      this.room = larger
    }
    return this.room.next(tokens, order)
  }

  private roomFor(rows: number, sourceLength: number, length: number): Room {
    const capacity = Math.min(length, this.model.contextLength)
    const key = `${rows} ${sourceLength} ${capacity} ${virtualTokenCount(this.model)}`
    const room = this.rooms.get(key) ?? new Room(this.model, rows, sourceLength, capacity)
    this.rooms.delete(key) // moves it to the end, which is the most recently used
    this.rooms.set(key, room)
    const [oldest] = this.rooms.keys()
    if (this.rooms.size > ROOMS) this.rooms.delete(oldest)
    return room
  }
}

/** The cache and compiled programs for a number of rows and their lengths. */
class Room {
  readonly rows: number
  readonly sourceLength: number
  readonly capacity: number
  private readonly cache: EncoderDecoderCache
  private readonly begin: Held
  private readonly step: Held
  /** u8 (R, S): 0 for padding of a source. */
  private mask: HeldInput = { data: new Uint8Array(), shape: [0] }

  constructor(model: Seq2SeqLM, rows: number, sourceLength: number, capacity: number) {
    this.rows = rows
    this.sourceLength = sourceLength
    this.capacity = capacity
    const cache = model.createCache({ capacity, sourceLength, batch: rows })
    this.cache = cache
    this.begin = hold((sources, counted, last, ids) => [
      evaluating(model, () => {
        const states = model.encode(sources, { attentionMask: counted.ne(0) })
        const each = rows / sources.shape[0]
        const [encoded, mask] = [states, counted.ne(0)].map((x) => x.repeatInterleave(each, 0))
        return model.decode(ids, { encoded, encodedMask: mask, cache, logitsAt: last })
      }),
    ])
    this.step = hold((ids, counted, order) => {
      if (order) noGrad(() => cache.reorder(order))
      return [evaluating(model, () => model.decode(ids, { encodedMask: counted.ne(0), cache }))]
    })
  }

  get full(): boolean {
    return this.cache.length === this.capacity
  }

  async takeOver(smaller: Room): Promise<void> {
    await hold(() => {
      noGrad(() => this.cache.takeOver(smaller.cache))
      return []
    })()
    this.mask = smaller.mask
  }

  async start(
    sources: readonly (readonly number[])[],
    prompts: readonly (readonly number[])[],
  ): Promise<TypedArray> {
    const { rows, sourceLength } = this
    const shape = [sources.length, sourceLength]
    const ids = new Int32Array(sources.length * sourceLength)
    const counted = new Uint8Array(ids.length)
    for (const [i, source] of sources.entries()) {
      ids.set(source, i * sourceLength)
      counted.fill(1, i * sourceLength, i * sourceLength + source.length)
    }
    const mask = new Uint8Array(rows * sourceLength)
    const each = rows / sources.length
    for (let row = 0; row < rows; row++) {
      const source = Math.floor(row / each) * sourceLength
      mask.set(counted.subarray(source, source + sourceLength), row * sourceLength)
    }
    this.mask = { data: mask, shape: [rows, sourceLength] }
    this.cache.reset()
    const begun = prompts[0].length
    const [logits] = await this.begin(
      { data: ids, shape },
      { data: counted, shape },
      { data: Int32Array.of(begun - 1), shape: [1] },
      { data: Int32Array.from(prompts.flat()), shape: [rows, begun] },
    )
    this.cache.advance(begun)
    return logits.data()
  }

  async next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray> {
    const inputs: HeldInput[] = [
      { data: Int32Array.from(tokens), shape: [this.rows, 1] },
      this.mask, // beams of one source share its mask, so reordering does not change it
    ]
    if (order?.some((from, row) => from !== row))
      inputs.push({ data: Int32Array.from(order), shape: [this.rows] })
    const [logits] = await this.step(...inputs)
    this.cache.advance(1)
    return logits.data()
  }
}

const SHORTEST = 16
const FIRST_ROOM = 32
/** Number of batch shapes to keep. */
const ROOMS = 4
