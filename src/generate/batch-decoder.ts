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

const checkBatchDecoder = argumentKinds('BatchDecoder', {
  model: 'model',
  options: optionKinds<{ maxTokens: number }>({ maxTokens: 'number' }),
})

/**
 * Runs a decoder-only model on a batch of texts. Shorter texts are padded at the front (left padding), so that all
 * continue at the same position; a mask hides the padding.
 */
export class BatchDecoder implements StepModel {
  private readonly model: CausalLM
  private readonly maxTokens: number
  private batch: Batch | null = null

  /** @param options `maxTokens`: maximum number of tokens after the prompts */
  constructor(model: CausalLM, options: { maxTokens: number }) {
    checkBatchDecoder(model, options)
    checkHead('BatchDecoder', model, 'causal-lm')
    const { maxTokens } = options
    this.model = model
    this.maxTokens = maxTokens
  }

  async start(prompts: readonly (readonly number[])[]): Promise<TypedArray> {
    checkStart(prompts)
    const { longest, capacity } = roomForTexts(this.model, prompts, this.maxTokens)
    if (!this.batch?.fits(prompts.length, capacity))
      this.batch = new Batch(this.model, prompts.length, capacity)
    return this.batch.start(prompts, longest)
  }

  async next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray> {
    checkNext(tokens, order)
    if (!this.batch) throw notStarted()
    return this.batch.next(tokens, order)
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

  start(prompts: readonly (readonly number[])[], longest: number): Promise<TypedArray> {
    this.cache.reset()
    const width = promptWidth(longest, this.capacity)
    const ids = new Int32Array(this.rows * width)
    const mask = new Uint8Array(this.rows * this.capacity).fill(1)
    for (const [row, prompt] of prompts.entries()) {
      const padding = longest - prompt.length
      ids.set(prompt, row * width + padding)
      mask.fill(0, row * this.capacity, row * this.capacity + padding)
    }
    this.mask = mask.includes(0) ? { data: mask, shape: [this.rows, this.capacity] } : null
    return this.forward(ids, longest)
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
