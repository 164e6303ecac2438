import type { CausalLM } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { Decoder } from './decoder.ts'
import { powerOfTwo } from './evaluating.ts'
import { createSampler, type SamplingOptions } from './sampling.ts'

export interface GenerateTokensOptions extends SamplingOptions {
  /** Default 100. */
  maxTokens?: number
  /** Ends the text; these are not part of it. */
  stopTokens?: readonly number[]
  /** How many tokens the model looks back at most. Default: as many as needed and possible. */
  contextLength?: number
  signal?: AbortSignal
}

/** Continues a text of token ids, token by token. What is aborted throws the signal's reason. */
export async function* generateTokens(
  model: CausalLM,
  prompt: readonly number[],
  options: GenerateTokensOptions = {},
): AsyncGenerator<number, void, undefined> {
  const { maxTokens = 100, stopTokens = [], signal, contextLength } = options
  checkPrompt(prompt, model.vocabSize)
  if (!(maxTokens >= 0)) throw new HeedError(`maxTokens ${maxTokens}: it is 0 or more`)
  const sampler = createSampler(options)
  for (const token of prompt) sampler.see(token)
  const wanted = Math.min(prompt.length + maxTokens, model.contextLength)
  const decoder = new Decoder(model, contextLength ?? powerOfTwo(wanted, SHORTEST_CONTEXT))
  const stop = new Set(stopTokens)
  let token = -1
  for (let made = 0; made < maxTokens; made++) {
    signal?.throwIfAborted()
    const logits = await (made === 0 ? decoder.start(prompt) : decoder.next(token))
    token = sampler.choose(logits)
    if (stop.has(token)) return
    yield token
  }
}

export interface GenerateOptions extends GenerateTokensOptions {
  /** Whether the end-of-text token ends the text. Default true. */
  stopAtEnd?: boolean
}

/** Continues a text, piece by piece as its characters become whole. The prompt is not repeated. */
export async function* generate(
  model: CausalLM,
  tokenizer: Pick<Tokenizer, 'encode' | 'decodeStream' | 'eosTokenId' | 'bosTokenId'>,
  prompt: string,
  options: GenerateOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { stopAtEnd = true, stopTokens = [], ...rest } = options
  const end = stopAtEnd && tokenizer.eosTokenId !== undefined ? [tokenizer.eosTokenId] : []
  const stream = tokenizer.decodeStream({ skipSpecialTokens: true })
  const tokens = generateTokens(model, startOf(tokenizer, prompt), {
    ...rest,
    stopTokens: [...stopTokens, ...end],
  })
  for await (const token of tokens) {
    const piece = stream.push(token)
    if (piece) yield piece
  }
  const left = stream.end()
  if (left) yield left
}

/** The prompt's tokens; of an empty one, the token that begins or parts texts. */
function startOf(
  tokenizer: Pick<Tokenizer, 'encode' | 'eosTokenId' | 'bosTokenId'>,
  prompt: string,
): number[] {
  const tokens = tokenizer.encode(prompt)
  if (tokens.length > 0) return tokens
  const start = tokenizer.bosTokenId ?? tokenizer.eosTokenId
  if (start !== undefined) return [start]
  throw new HeedError('The prompt is empty, and this tokenizer has no token that begins a text', {
    remedy: 'Give at least one character to start from.',
  })
}

function checkPrompt(prompt: readonly number[], vocabSize: number): void {
  const wrong = prompt.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize)
  if (wrong !== undefined)
    throw new HeedError(`Token ${wrong} is not in the model's vocabulary of ${vocabSize}`, {
      remedy: 'Use the tokenizer that the model was trained with.',
    })
}

const SHORTEST_CONTEXT = 64
