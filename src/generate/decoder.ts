import type { TypedArray } from '../graph/dtype.ts'
import { checkHead } from '../models/check-head.ts'
import type { CausalLM } from '../models/index.ts'
import { virtualTokenCount } from '../models/shared/virtual-tokens.ts'
import { evaluating } from '../nn/evaluating.ts'
import type { KVCache } from '../nn/index.ts'
import { type Held, hold, holdEpoch } from '../tensor/hold.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { powerOfTwo } from './power-of-two.ts'
import { checkNext, checkStart, rowOf, type StepModel } from './step-model.ts'

/**
 * Runs a decoder-only model on one text, token by token, with a KV cache. The prompt is processed in one run, padded to a
 * power of two, so that prompts of all lengths share a few programs. Each later token is a run of one program. A common
 * prefix of consecutive texts stays in the cache. When the cache is full, the second half of the tokens is processed
 * again and the first half is dropped.
 */
export class Decoder implements StepModel {
  private readonly model: CausalLM
  /** The number of tokens that was asked for. */
  private readonly requestedCapacity: number
  private cache: KVCache
  private readonly run: Held
  /** The tokens in the cache. */
  private text: number[] = []
  private read = 0
  private epoch = holdEpoch()

  /** @param contextLength capacity of the cache in tokens; default and maximum: the context length of the model */
  constructor(model: CausalLM, contextLength?: number) {
    checkHead('Decoder', model, 'causal-lm')
    this.model = model
    const capacity = contextLength === undefined ? model.contextLength : contextLength
    this.requestedCapacity = capacity
    if (!Number.isInteger(capacity) || this.capacity < 2)
      throw invalidOption({
        key: 'contextLength',
        value: capacity,
        expected: 'a whole number from 2',
        try: { contextLength: [64] },
      })
    this.cache = model.createCache({ capacity: this.capacity })
    this.run = hold((ids, logitsAt) => [
      evaluating(model, () => model.forward(ids, { cache: this.cache, logitsAt })),
    ])
  }

  /** Maximum number of tokens in the cache. Adapters with tokens of their own leave fewer. */
  get capacity(): number {
    return Math.min(this.requestedCapacity, this.model.contextLength)
  }

  /** The tokens in the cache. */
  get tokens(): readonly number[] {
    return this.text
  }

  /** Total number of processed tokens, without tokens that were in the cache. */
  get tokensRead(): number {
    return this.read
  }

  /** Starts a text. Returns the logits (V) of the next token. Only the end of a text longer than the capacity is read. */
  async start(prompts: readonly (readonly number[])[]): Promise<TypedArray> {
    checkStart(prompts)
    const [tokens = []] = prompts
    if (tokens.length === 0) throw emptyPrompt()
    if (this.isOutdated()) this.renew()
    this.epoch = holdEpoch()
    const text = tokens.slice(-this.capacity)
    const shared = Math.min(sharedLength(this.text, text), text.length - 1)
    this.rewind(this.staysValid(text.length) ? shared : 0)
    const fresh = text.slice(this.text.length)
    const room = this.capacity - this.text.length
    const width = Math.min(room, powerOfTwo(fresh.length, this.text.length > 0 ? 1 : SHORTEST))
    return this.forward(fresh, width, [fresh.length - 1])
  }

  /** Appends a token. Returns the logits (V) of the next token. */
  async next(tokens: readonly number[]): Promise<TypedArray> {
    checkNext(tokens)
    const [token] = tokens
    if (this.isOutdated()) return this.start([[...this.text, token]])
    if (this.text.length === this.capacity)
      return this.start([[...this.text, token].slice(-Math.ceil(this.capacity / 2))])
    if (!this.staysValid(this.text.length + 1)) return this.start([[...this.text, token]])
    return this.forward([token], 1, [0])
  }

  /** Appends tokens in one run. Returns the logits (V) after each of them. */
  async extend(tokens: readonly number[]): Promise<TypedArray[]> {
    checkNext(tokens)
    if (this.isOutdated() || !this.staysValid(this.text.length + tokens.length)) {
      const logits: TypedArray[] = []
      for (const token of tokens) logits.push(await this.next([token]))
      return logits
    }
    const room = this.capacity - this.text.length
    const width = Math.min(room, powerOfTwo(tokens.length))
    const at = Array.from({ length: width }, (_, i) => i)
    const logits = await this.forward(tokens, width, at)
    return tokens.map((_, i) => rowOf(logits, i, width))
  }

  /** Keeps the first `length` tokens of the cache. Use 0 if the weights of the model have changed. */
  rewind(length: number): void {
    this.cache.rewind(length)
    this.text.length = length
  }

  /** Empties the cache. Adapters with tokens of their own need a cache with space for them. */
  private renew(): void {
    if (this.cache.prefixLength !== virtualTokenCount(this.model))
      this.cache = this.model.createCache({ capacity: this.capacity })
    this.rewind(0)
  }

  /** Whether hooks or adapters have changed since the cached keys were computed. */
  private isOutdated(): boolean {
    return this.epoch !== holdEpoch()
  }

  /** Whether the cached keys are valid for a text of this length. */
  private staysValid(length: number): boolean {
    const { cacheValidTo = Number.POSITIVE_INFINITY } = this.model
    return this.text.length > cacheValidTo === length > cacheValidTo
  }

  /** Runs `width` positions; positions after the tokens are discarded. */
  private async forward(
    tokens: readonly number[],
    width: number,
    logitsAt: readonly number[],
  ): Promise<TypedArray> {
    const ids = new Int32Array(width)
    ids.set(tokens)
    const [logits] = await this.run(
      { data: ids, shape: [1, width] },
      { data: Int32Array.from(logitsAt), shape: [logitsAt.length] },
    )
    this.cache.advance(tokens.length)
    for (const token of tokens) this.text.push(token)
    this.read += tokens.length
    return logits.data()
  }
}

const emptyPrompt = (): HeedError =>
  new HeedError('invalid-option', '`prompt` must have at least one token, got none', {
    key: 'prompt',
    value: 0,
    expected: 'at least one token',
    remedy: 'Start from the beginning-of-text token.',
  })

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

const SHORTEST = 16
