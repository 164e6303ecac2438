import type { CausalLM } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { BatchDecoder } from './batch-decoder.ts'
import { type BeamOptions, beamSearch } from './beam-search.ts'
import { Decoder } from './decoder.ts'
import { powerOfTwo } from './evaluating.ts'
import type { Drafter } from './speculative/drafter.ts'
import { speculate } from './speculative/speculate.ts'
import { promptTokens, type TextTokenizer, TextWriter } from './text-writer.ts'
import { type WriteOptions, type Written, writeTokens } from './write-tokens.ts'

export interface GenerateTokensOptions extends WriteOptions {
  /** Context in tokens. Default: as much as needed and possible. */
  contextLength?: number
  /** A decoder of the same model; the common beginning of its last text is not processed again. */
  decoder?: Decoder
  /** Guesses tokens ahead, which the model checks together; the same texts in fewer runs. */
  drafter?: Drafter
}

/** Continues a text of token ids, token by token. Aborting throws the signal's reason. */
export async function* generateTokens(
  model: CausalLM,
  prompt: readonly number[],
  options: GenerateTokensOptions = {},
): AsyncGenerator<number, void, undefined> {
  for await (const { token } of generateSteps(model, prompt, options)) yield token
}

/** Like generateTokens, with the logits of each token; see logProbabilities. */
export async function* generateSteps(
  model: CausalLM,
  prompt: readonly number[],
  { contextLength, decoder, drafter, ...options }: GenerateTokensOptions = {},
): AsyncGenerator<Written, void, undefined> {
  checkPrompt(prompt, model.vocabSize)
  const length = prompt.length + (options.maxTokens ?? 100)
  const capacity = powerOfTwo(Math.min(length, model.contextLength), SHORTEST_CONTEXT)
  const steps = decoder ?? new Decoder(model, contextLength ?? capacity)
  if (drafter) return yield* speculate(steps, prompt, drafter, options)
  for await (const [written] of writeTokens(steps, [prompt], options)) if (written) yield written
}

/**
 * Continues several texts of token ids together; the result for each is that of generateTokens. With a seed, the first
 * text is the same as alone, and the others are drawn independently.
 */
export async function generateTokensBatch(
  model: CausalLM,
  prompts: readonly (readonly number[])[],
  options: WriteOptions = {},
): Promise<number[][]> {
  for (const prompt of prompts) checkPrompt(prompt, model.vocabSize)
  const steps = new BatchDecoder(model, { maxTokens: options.maxTokens ?? 100 })
  const texts: number[][] = prompts.map(() => [])
  for await (const written of writeTokens(steps, prompts, options))
    for (const [row, step] of written.entries()) if (step) texts[row].push(step.token)
  return texts
}

interface TextOptions {
  /** Whether the end-of-text token ends the text. Default true. */
  stopAtEnd?: boolean
  /** The text ends before the first of these strings; no part of one is shown. */
  stop?: readonly string[]
}

export type GenerateOptions = GenerateTokensOptions & TextOptions

/** Continues a text, in pieces of complete characters. The prompt is not repeated. */
export async function* generate(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompt: string,
  { stopAtEnd, stop, ...options }: GenerateOptions = {},
): AsyncGenerator<string, void, undefined> {
  const writer = new TextWriter(tokenizer, stop)
  const tokens = generateTokens(model, promptTokens(tokenizer, prompt), {
    ...options,
    stopTokens: endsOf(tokenizer, stopAtEnd, options.stopTokens),
  })
  for await (const token of tokens) {
    const piece = writer.push(token)
    if (piece) yield piece
    if (writer.stopped) return
  }
  const left = writer.end()
  if (left) yield left
}

/** The continuations of several texts, generated together. */
export async function generateBatch(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompts: readonly string[],
  { stopAtEnd, stop, ...options }: WriteOptions & TextOptions = {},
): Promise<string[]> {
  const rows = prompts.map((prompt) => promptTokens(tokenizer, prompt))
  for (const row of rows) checkPrompt(row, model.vocabSize)
  const steps = new BatchDecoder(model, { maxTokens: options.maxTokens ?? 100 })
  const writers = rows.map(() => new TextWriter(tokenizer, stop))
  const texts = rows.map(() => '')
  const all = { ...options, stopTokens: endsOf(tokenizer, stopAtEnd, options.stopTokens) }
  const endsAfter = (row: number, token: number): boolean => {
    texts[row] += writers[row].push(token)
    return writers[row].stopped
  }
  for await (const _ of writeTokens(steps, rows, all, endsAfter));
  return texts.map((text, row) => text + writers[row].end())
}

export type GenerateBeamsOptions = BeamOptions & Pick<TextOptions, 'stopAtEnd'>

/**
 * The most probable continuations that beam search finds, the best first, within the model's context.
 */
export async function generateBeams(
  model: CausalLM,
  tokenizer: TextTokenizer & Pick<Tokenizer, 'decode'>,
  prompt: string,
  { stopAtEnd, ...options }: GenerateBeamsOptions,
): Promise<{ text: string; score: number }[]> {
  const tokens = promptTokens(tokenizer, prompt)
  checkPrompt(tokens, model.vocabSize)
  const room = Math.max(1, model.contextLength - tokens.length)
  const maxTokens = Math.min(options.maxTokens ?? 100, room)
  const steps = new BatchDecoder(model, { maxTokens })
  const stopTokens = endsOf(tokenizer, stopAtEnd, options.stopTokens)
  const [hypotheses] = await beamSearch(steps, [tokens], { ...options, maxTokens, stopTokens })
  return hypotheses.map(({ tokens, score }) => ({
    text: tokenizer.decode(tokens, { skipSpecialTokens: true }),
    score,
  }))
}

function endsOf(
  { eosTokenId }: TextTokenizer,
  stopAtEnd = true,
  stopTokens: readonly number[] = [],
): readonly number[] {
  return stopAtEnd && eosTokenId !== undefined ? [...stopTokens, eosTokenId] : stopTokens
}

function checkPrompt(prompt: readonly number[], vocabSize: number): void {
  const wrong = prompt.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize)
  if (wrong !== undefined)
    throw new HeedError(
      'invalid-option',
      `Token ids must be whole numbers below the vocabulary size (${vocabSize}), got ${wrong}`,
      { key: 'prompt', value: wrong, remedy: 'Use the tokenizer of the model.' },
    )
}

const SHORTEST_CONTEXT = 64
