import type { TypedArray } from '../graph/dtype.ts'
import { checkHead } from '../models/check-head.ts'
import type { CausalLM } from '../models/index.ts'
import { virtualTokenCount } from '../models/shared/virtual-tokens.ts'
import { evaluating } from '../nn/evaluating.ts'
import type { KVCache } from '../nn/index.ts'
import { type Held, type HeldInput, hold, type Tensor } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { powerOfTwo } from './power-of-two.ts'
import { checkNext, checkStart, rowOf, type StepModel } from './step-model.ts'

// R rows (texts), T new tokens, S capacity of the cache

/** Options of `BatchDecoder`. */
export interface BatchDecoderOptions {
  /** Maximum number of tokens after the prompts. */
  maxTokens: number
  /**
   * Process the tokens with which all prompts begin once, such as the examples before several questions. Default false:
   * each prompt is processed whole.
   */
  sharePrefix?: boolean
}

const checkBatchDecoder = argumentKinds('BatchDecoder', {
  model: 'model',
  options: optionKinds<BatchDecoderOptions>({ maxTokens: 'number', sharePrefix: 'flag?' }),
})

/**
 * Runs a decoder-only model on a batch of texts. Shorter texts are padded at the front (left padding), so that all
 * continue at the same position; a mask hides the padding.
 */
export class BatchDecoder implements StepModel {
  private readonly model: CausalLM
  private readonly maxTokens: number
  private readonly sharePrefix: boolean
  private batch: Batch | null = null

  /** @throws HeedError for a model that does not generate text */
  constructor(model: CausalLM, options: BatchDecoderOptions) {
    checkBatchDecoder(model, options)
    checkHead('BatchDecoder', model, 'causal-lm')
    const { maxTokens, sharePrefix = false } = options
    this.model = model
    this.maxTokens = maxTokens
    this.sharePrefix = sharePrefix
  }

  async start(prompts: readonly (readonly number[])[]): Promise<TypedArray> {
    checkStart(prompts)
    const { longest, capacity } = roomForTexts(this.model, prompts, this.maxTokens)
    if (!this.batch?.fits(prompts.length, capacity))
      this.batch = new Batch(this.model, prompts.length, capacity)
    const shared = this.sharePrefix && prompts.length > 1 ? this.sharedBy(prompts, longest) : 0
    return this.batch.start(prompts, longest, shared)
  }

  async next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray> {
    checkNext(tokens, order)
    if (!this.batch) throw notStarted()
    return this.batch.next(tokens, order)
  }

  /** The number of tokens with which all prompts begin. At least one token of each is left. */
  private sharedBy(prompts: readonly (readonly number[])[], longest: number): number {
    const [first, ...others] = prompts
    const shared = others.reduce((length, prompt) => {
      const same = first.findIndex((token, i) => i === length || token !== prompt[i])
      return Math.min(same < 0 ? first.length : same, prompt.length - 1)
    }, first.length - 1)
    // The keys of a short text have other rotations than those of a long one (LongRoPE).
    const { cacheValidTo = Number.POSITIVE_INFINITY } = this.model
    return shared > cacheValidTo === longest > cacheValidTo ? shared : 0
  }
}

/**
 * The longest prompt, and a capacity for it and `maxTokens` tokens after it. Rounded capacities share compiled programs.
 * @throws HeedError if the texts do not fit into the context, and for an empty prompt
 */
export function roomForTexts(
  model: CausalLM,
  prompts: readonly (readonly number[])[],
  maxTokens: number,
): { longest: number; capacity: number } {
  const longest = Math.max(...prompts.map((prompt) => prompt.length))
  checkPrompts(prompts)
  const needed = longest + maxTokens
  if (needed > model.contextLength) throw tooLong(longest, maxTokens, model.contextLength)
  checkCacheLimit(model, longest, needed)
  return { longest, capacity: Math.min(model.contextLength, powerOfTwo(needed, SHORTEST)) }
}

/** The width to which prompts of this length are padded. */
export const promptWidth = (longest: number, capacity: number): number =>
  Math.min(capacity, powerOfTwo(longest, SHORTEST))

/** The cache and compiled programs for a number of rows and a capacity. */
class Batch {
  readonly rows: number
  readonly capacity: number
  private readonly model: CausalLM
  private readonly cache: KVCache
  private readonly plain: Held
  private readonly masked: Held
  /** u8 (R, S): 0 for padding; null without padding. */
  private mask: HeldInput | null = null
  /** A single row, for tokens that all rows share, and the program that copies it to all rows. */
  private single: Batch | null = null
  private spread: Held | null = null

  constructor(model: CausalLM, rows: number, capacity: number) {
    this.model = model
    this.rows = rows
    this.capacity = capacity
    this.cache = model.createCache({ capacity, batch: rows })
    const { cache } = this
    const step = (ids: Tensor, logitsAt: Tensor, order?: Tensor, mask?: Tensor): Tensor[] => {
      if (order) cache.reorder(order)
      return [
        evaluating(model, () =>
          model.forward(ids, { cache, logitsAt, attentionMask: mask?.ne(0) }),
        ),
      ]
    }
    this.plain = hold((ids, last, order) => step(ids, last, order))
    this.masked = hold((ids, last, mask, order) => step(ids, last, order, mask))
  }

  /** Whether the cache is of this size, and has space for the tokens of the adapters in use. */
  fits(rows: number, capacity: number): boolean {
    const isSame = this.rows === rows && this.capacity === capacity
    return isSame && this.cache.prefixLength === virtualTokenCount(this.model)
  }

  /** Starts texts, whose first `shared` tokens are the same and processed once. Padding is put after them. */
  async start(
    prompts: readonly (readonly number[])[],
    longest: number,
    shared = 0,
  ): Promise<TypedArray> {
    this.cache.reset()
    if (shared > 0) await this.startAll(prompts[0].slice(0, shared))
    const width = promptWidth(longest - shared, this.capacity - shared)
    const ids = new Int32Array(this.rows * width)
    const mask = new Uint8Array(this.rows * this.capacity).fill(1)
    for (const [row, prompt] of prompts.entries()) {
      const padding = longest - prompt.length
      const at = row * this.capacity + shared
      ids.set(prompt.slice(shared), row * width + padding)
      mask.fill(0, at, at + padding)
    }
    this.mask = mask.includes(0) ? { data: mask, shape: [this.rows, this.capacity] } : null
    return this.forward(ids, longest - shared)
  }

  /** Starts all rows with the same tokens. */
  private async startAll(tokens: readonly number[]): Promise<void> {
    if (!this.single?.fits(1, this.capacity)) {
      const single = new Batch(this.model, 1, this.capacity)
      this.single = single
      this.spread = hold((rows) => {
        this.cache.copyRows(single.cache, rows)
        return []
      })
    }
    await this.single.start([tokens], tokens.length)
    await this.spread?.({ data: new Int32Array(this.rows), shape: [this.rows] })
    this.cache.advance(tokens.length)
  }

  next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray> {
    const moved = order?.some((from, row) => from !== row) ? order : undefined
    if (moved && this.mask) this.mask = { ...this.mask, data: inOrder(this.mask.data, moved) }
    return this.forward(Int32Array.from(tokens), 1, moved)
  }

  /** Appends the first `used` columns of ids (R, T); the others are padding. */
  private async forward(
    ids: Int32Array,
    used: number,
    order?: readonly number[],
  ): Promise<TypedArray> {
    const inputs: HeldInput[] = [
      { data: ids, shape: [this.rows, ids.length / this.rows] },
      { data: Int32Array.of(used - 1), shape: [1] },
    ]
    if (this.mask) inputs.push(this.mask)
    if (order) inputs.push({ data: Int32Array.from(order), shape: [this.rows] })
    const [logits] = await (this.mask ? this.masked : this.plain)(...inputs)
    this.cache.advance(used)
    return logits.data()
  }
}

function inOrder(mask: TypedArray, order: readonly number[]): Uint8Array {
  const moved = new Uint8Array(mask.length)
  for (const [row, from] of order.entries())
    moved.set(rowOf(mask, from, order.length), row * (mask.length / order.length))
  return moved
}

/** @throws HeedError if the texts would grow beyond the length at which rotary positions change for cached keys */
function checkCacheLimit({ cacheValidTo: limit }: CausalLM, longest: number, needed: number): void {
  if (limit === undefined || longest > limit || needed <= limit) return
  throw new HeedError(
    'unsupported',
    `Batches and beams of this model must stay below ${limit} tokens or start above, got ${longest} to ${needed}`,
    {
      key: 'maxTokens',
      value: needed - longest,
      remedy: 'Generate one text at a time, or fewer tokens.',
    },
  )
}

function checkPrompts(prompts: readonly (readonly number[])[]): void {
  if (prompts.length === 0) throw emptyBatch()
  const empty = prompts.findIndex((prompt) => prompt.length === 0)
  if (empty >= 0)
    throw new HeedError(
      'invalid-option',
      `Text ${empty} of the batch must have at least one token, got none`,
      {
        remedy: 'Start from the beginning-of-text token.',
      },
    )
}

export const emptyBatch = (): HeedError =>
  new HeedError('invalid-option', 'A batch must have at least one text, got none', {
    remedy: 'Pass at least one text.',
  })

export const notStarted = (): HeedError =>
  new HeedError('invalid-state', '`next` must be called after `start`', {
    remedy: 'Call `start` with the prompts first.',
  })

function tooLong(length: number, maxTokens: number, contextLength: number): HeedError {
  const room = contextLength - length
  return invalidOption({
    key: 'maxTokens',
    value: maxTokens,
    expected: `at most ${Math.max(0, room)}, because the context length is ${contextLength} and the longest text has ${length} tokens`,
    ...(room > 0 ? { try: { maxTokens: [room] } } : { remedy: 'Shorten the texts.' }),
  })
}

const SHORTEST = 16
