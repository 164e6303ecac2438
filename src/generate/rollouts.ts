// Rollouts: sampled answers with their log-probabilities, for training with rewards. Tokens are drawn on the device; the
// host reads three numbers for each row and token.
import { checkHead } from '../models/check-head.ts'
import type { CausalLM } from '../models/index.ts'
import { virtualTokenCount } from '../models/shared/virtual-tokens.ts'
import { evaluating } from '../nn/evaluating.ts'
import type { KVCache } from '../nn/index.ts'
import {
  type Held,
  type HeldInput,
  hold,
  searchsorted,
  stack,
  type Tensor,
} from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkSeed, randomUniform } from '../util/random.ts'
import { promptWidth, roomForTexts } from './batch-decoder.ts'
import { checkPrompt } from './generate-tokens.ts'
import { powerOfTwo } from './power-of-two.ts'

// P prompts, G answers of each, R rows (answers that have not ended), S capacity of the cache, V size of the vocabulary

/** A sampled answer. */
export interface Rollout {
  /** Ids of the answer, with the token that ended it. They are never decoded and encoded again. */
  tokens: number[]
  /** The log-probability of each token at the temperature of the rollouts. */
  logProbabilities: number[]
  /** The entropy of the distribution of each token, in nats. */
  entropies: number[]
  /** Whether a stop token ended the answer; false if it reached `maxTokens`. */
  ended: boolean
}

/** Options of `Rollouts`. */
export interface RolloutOptions {
  /** Maximum number of tokens in an answer, with the stop token. */
  maxTokens: number
  /** Tokens that end an answer. Default: none. */
  stopTokens?: readonly number[]
  /** Logits are divided by it; above 0. Default 1. */
  temperature?: number
}

/** Options of `Rollouts.write`. */
export interface WriteRollouts {
  /** Number of answers to each prompt. Default 1. */
  answers?: number
  /** The same seed and weights give the same answers. */
  seed: number
}

const checkRollouts = argumentKinds('Rollouts', {
  model: 'model',
  options: optionKinds<RolloutOptions>({
    maxTokens: 'size',
    stopTokens: 'numbers?',
    temperature: 'number?',
  }),
})
const checkWrite = argumentKinds('Rollouts.write', {
  prompts: 'numberLists',
  options: optionKinds<WriteRollouts>({ answers: 'size?', seed: 'number' }),
})

/**
 * Samples answers to prompts with a decoder-only model. The decoder reads the parameters of the model itself, so after an
 * update the next answers are those of the updated model. Each prompt is processed once for all its answers. When half of
 * the rows have ended, the others move to a smaller batch.
 */
export class Rollouts {
  readonly #model: CausalLM
  readonly #options: Required<RolloutOptions>
  /** Caches and programs by number of rows, capacity and number of virtual tokens. */
  readonly #lanes = new Map<string, Lane>()

  /** @throws HeedError for a temperature that is not above 0 */
  constructor(model: CausalLM, options: RolloutOptions) {
    checkRollouts(model, options)
    checkHead('Rollouts', model, 'causal-lm')
    const { maxTokens, stopTokens = [], temperature = 1 } = options
    if (!(temperature > 0))
      throw invalidOption({
        key: 'temperature',
        value: temperature,
        expected: 'above 0',
        try: { temperature: [1] },
      })
    this.#model = model
    this.#options = { maxTokens, stopTokens, temperature }
  }

  /**
   * Samples `answers` answers to each prompt of token ids. Each answer has separate random numbers, so it does not depend on
   * when the others end.
   * @returns the answers by prompt
   * @throws HeedError for an empty prompt, ids outside the vocabulary, and prompts that leave no room for `maxTokens`
   */
  async write(
    prompts: readonly (readonly number[])[],
    options: WriteRollouts,
  ): Promise<Rollout[][]> {
    checkWrite(prompts, options)
    const { answers = 1, seed } = options
    checkSeed(seed)
    for (const prompt of prompts) checkPrompt(prompt, this.#model.vocabSize)
    const { maxTokens, stopTokens } = this.#options
    const { longest, capacity } = roomForTexts(this.#model, prompts, maxTokens)
    const written = prompts.map(() => Array.from({ length: answers }, newRollout))
    const all = written.flat()
    const draws = (position: number, rows: readonly number[]): Float32Array =>
      Float32Array.from(rows, (row) => Math.min(randomUniform(seed, position, row), BELOW_ONE))

    let lane = this.#lane(prompts.length, capacity)
    let rows = all.map((_, row) => row) // the rollout of each row
    let choices = await lane.start(prompts, longest, draws(0, rows))
    lane = await this.#move(lane, rows.map((row) => Math.floor(row / answers))) // biome-ignore format: one line
    for (let position = 1; ; position++) {
      const active = new Set<number>()
      rows.forEach((row, i) => {
        const rollout = all[row]
        if (rollout.ended || rollout.tokens.length === position) return // it fills a row that has ended
        const [token, logProbability, entropy] = choices(i)
        rollout.tokens.push(token)
        rollout.logProbabilities.push(logProbability)
        rollout.entropies.push(entropy)
        rollout.ended = stopTokens.includes(token)
        if (!rollout.ended) active.add(i)
      })
      if (position === maxTokens || active.size === 0) return written
      const size = powerOfTwo(active.size)
      if (2 * size <= rows.length) {
        const [first] = active
        const order = Array.from({ length: size }, (_, i) => [...active][i] ?? first)
        lane = await this.#move(lane, order)
        rows = order.map((from) => rows[from])
      }
      choices = await lane.next(rows.map((row) => all[row].tokens.at(-1) ?? 0), draws(position, rows)) // biome-ignore format: one line
    }
  }

  #lane(rows: number, capacity: number): Lane {
    const key = `${rows} ${capacity} ${virtualTokenCount(this.#model)}`
    const lane = this.#lanes.get(key) ?? new Lane(this.#model, this.#options.temperature, rows, capacity) // biome-ignore format: one line
    this.#lanes.set(key, lane)
    return lane
  }

  /** Copies rows to a lane of as many rows. */
  async #move(from: Lane, order: readonly number[]): Promise<Lane> {
    const isSame = order.length === from.rows && order.every((row, i) => row === i)
    if (isSame) return from
    const lane = this.#lane(order.length, from.capacity)
    await lane.take(from, order)
    return lane
  }
}

const newRollout = (): Rollout => ({ tokens: [], logProbabilities: [], entropies: [], ended: false }) // biome-ignore format: one line

/** The largest f32 below 1. */
const BELOW_ONE = 1 - 2 ** -24

/** The token, its log-probability and the entropy of a row. */
type Choices = (row: number) => [token: number, logProbability: number, entropy: number]

/** The cache and compiled programs for a number of rows and a capacity. */
class Lane {
  readonly rows: number
  readonly capacity: number
  readonly #cache: KVCache
  readonly #plain: Held
  readonly #masked: Held
  readonly #copies = new Map<Lane, Held>()
  /** u8 (R, S): 0 for padding; null without padding. */
  #mask: { data: Uint8Array; shape: readonly number[] } | null = null

  constructor(model: CausalLM, temperature: number, rows: number, capacity: number) {
    this.rows = rows
    this.capacity = capacity
    this.#cache = model.createCache({ capacity, batch: rows })
    const cache = this.#cache
    const step = (ids: Tensor, logitsAt: Tensor, uniform: Tensor, mask?: Tensor): Tensor[] => [
      evaluating(model, () => {
        const logits = model.forward(ids, { cache, logitsAt, attentionMask: mask?.ne(0) })
        return drawTokens(logits.reshape(rows, -1).div(temperature), uniform)
      }),
    ]
    this.#plain = hold((ids, last, uniform) => step(ids, last, uniform))
    this.#masked = hold((ids, last, uniform, mask) => step(ids, last, uniform, mask))
  }

  /** Starts texts. Draws a token after each prompt for each of its random numbers. */
  start(
    prompts: readonly (readonly number[])[],
    longest: number,
    uniform: Float32Array,
  ): Promise<Choices> {
    this.#cache.reset()
    const width = promptWidth(longest, this.capacity)
    const ids = new Int32Array(this.rows * width)
    const mask = new Uint8Array(this.rows * this.capacity).fill(1)
    for (const [row, prompt] of prompts.entries()) {
      const padding = longest - prompt.length
      ids.set(prompt, row * width + padding)
      mask.fill(0, row * this.capacity, row * this.capacity + padding)
    }
    this.#mask = mask.includes(0) ? { data: mask, shape: [this.rows, this.capacity] } : null
    return this.#forward(ids, longest, uniform)
  }

  /** Appends a token to each row, and draws the next. */
  next(tokens: readonly number[], uniform: Float32Array): Promise<Choices> {
    return this.#forward(Int32Array.from(tokens), 1, uniform)
  }

  /** Takes over rows of another lane. */
  async take(from: Lane, order: readonly number[]): Promise<void> {
    let copy = this.#copies.get(from)
    if (!copy) {
      copy = hold((rows) => {
        this.#cache.copyRows(from.#cache, rows)
        return []
      })
      this.#copies.set(from, copy)
    }
    await copy({ data: Int32Array.from(order), shape: [order.length] })
    this.#cache.reset()
    this.#cache.advance(from.#cache.length)
    this.#mask = null
    if (!from.#mask) return
    const { capacity } = this
    const mask = new Uint8Array(this.rows * capacity)
    for (const [row, source] of order.entries())
      mask.set(from.#mask.data.subarray(source * capacity, (source + 1) * capacity), row * capacity) // biome-ignore format: one line
    this.#mask = { data: mask, shape: [this.rows, capacity] }
  }

  /** Appends the first `used` columns of ids (R, T); the others are padding. */
  async #forward(ids: Int32Array, used: number, uniform: Float32Array): Promise<Choices> {
    const inputs: HeldInput[] = [
      { data: ids, shape: [this.rows, ids.length / this.rows] },
      { data: Int32Array.of(used - 1), shape: [1] },
      { data: uniform, shape: [this.rows, uniform.length / this.rows] },
    ]
    if (this.#mask) inputs.push(this.#mask)
    const [drawn] = await (this.#mask ? this.#masked : this.#plain)(...inputs)
    this.#cache.advance(used)
    const values = await drawn.data()
    const count = uniform.length
    return (row) => [Number(values[row]), Number(values[count + row]), Number(values[2 * count + row])] // biome-ignore format: one line
  }
}

/**
 * Draws tokens by inverting the cumulative distribution.
 * @param logits f32 (R, V)
 * @param uniform f32 (R, G): random numbers in [0, 1)
 * @returns f32 (3, R, G): tokens, exact up to 2^24, their log-probabilities, and the entropies of the distributions
 */
function drawTokens(logits: Tensor, uniform: Tensor): Tensor {
  const logs = logits.logSoftmax(-1)
  const shares = logs.exp()
  const sums = shares.cumsum(-1)
  const last = sums.shape[1] - 1
  const reached = uniform.mul(sums.narrow(-1, last, 1)) // (R, G)
  const tokens = searchsorted(sums, reached, { right: true }).minimum(last)
  const chosen = logs.gather(-1, tokens)
  const entropy = shares.mul(logs).sum(-1, true).neg().expand(...uniform.shape) // biome-ignore format: one line
  return stack([tokens.to('f32'), chosen, entropy])
}
