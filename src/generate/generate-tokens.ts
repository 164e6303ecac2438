// Generation of token ids, without text.
import type { CausalLM } from '../models/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { type OptionKinds, optionKinds } from '../util/options.ts'
import { BatchDecoder } from './batch-decoder.ts'
import { MODEL_OPTIONS, type ModelOptions, type Settings, settingsOf } from './config/settings.ts'
import { Decoder } from './decoder.ts'
import { GuidedModel } from './guided-model.ts'
import { powerOfTwo } from './power-of-two.ts'
import type { Drafter } from './speculative/drafter.ts'
import { speculate } from './speculative/speculate.ts'
import type { StepModel } from './step-model.ts'
import { type Written, writeTokens } from './write-tokens.ts'

const { stop: _, ...BATCH_TOKEN_OPTIONS } = MODEL_OPTIONS

/** Options of `generateTokens` and `generateSteps`. */
export interface GenerateTokensOptions extends Omit<ModelOptions, 'stop'> {
  /** Context length in tokens. Default: prompt and new tokens, at most the context length of the model. */
  contextLength?: number
  /** A decoder of the same model to reuse; a prefix shared with its last text is not processed again. */
  decoder?: Decoder
  /** Proposes tokens, which the model verifies in one run (speculative decoding): the same text in fewer runs. */
  drafter?: Drafter
}

export const TOKEN_OPTIONS: OptionKinds<GenerateTokensOptions> = {
  ...BATCH_TOKEN_OPTIONS,
  contextLength: 'size?',
  decoder: 'object?',
  drafter: 'object?',
}
const PROMPT = { model: 'model', prompt: 'numbers' } as const
const RULES = optionKinds<GenerateTokensOptions>(TOKEN_OPTIONS)
const checkSteps = argumentKinds('generateSteps', { ...PROMPT, options: RULES })
const checkBatch = argumentKinds('generateTokensBatch', {
  model: 'model',
  prompts: 'list',
  options: optionKinds<Omit<ModelOptions, 'stop'>>(BATCH_TOKEN_OPTIONS),
})

/**
 * Continues a prompt of token ids, and yields the new ids. Aborting `signal` throws its reason.
 * @throws HeedError for an empty prompt, for ids outside the vocabulary, and for options out of range
 */
export async function* generateTokens(
  model: CausalLM,
  prompt: readonly number[],
  options: GenerateTokensOptions = {},
): AsyncGenerator<number, void, undefined> {
  for await (const { token } of generateSteps(model, prompt, options)) yield token
}

/** Continues a prompt like `generateTokens`, and yields each token with its logits (V); see `logProbabilities`. */
export async function* generateSteps(
  model: CausalLM,
  prompt: readonly number[],
  options: GenerateTokensOptions = {},
): AsyncGenerator<Written, void, undefined> {
  checkSteps(model, prompt, options)
  const lacks = options.drafter ? [...TOKENS_ONLY, 'guidance_scale' as const] : TOKENS_ONLY
  const context = { promptLength: prompt.length, samples: true, lacks }
  yield* stepsOf(model, prompt, settingsOf(model, options, context), options)
}

/** Continues a prompt of tokens with complete settings. */
export async function* stepsOf(
  model: CausalLM,
  prompt: readonly number[],
  { write, guidance }: Settings,
  {
    contextLength,
    decoder,
    drafter,
  }: Pick<GenerateTokensOptions, 'contextLength' | 'decoder' | 'drafter'>,
): AsyncGenerator<Written, void, undefined> {
  checkPrompt(prompt, model.vocabSize)
  const length = prompt.length + write.maxTokens
  const capacity = powerOfTwo(Math.min(length, model.contextLength), SHORTEST_CONTEXT)
  const newDecoder = (): Decoder => new Decoder(model, contextLength ?? capacity)
  const prompted = decoder ?? newDecoder()
  if (drafter) return yield* speculate(prompted, prompt, drafter, write)
  const steps = guidance === 1 ? prompted : new GuidedModel(prompted, newDecoder(), guidance)
  for await (const [written] of writeTokens(steps, [prompt], write)) if (written) yield written
}

/**
 * Continues several prompts of token ids in one batch. With a seed, the first text is the same as from `generateTokens`,
 * and the others are drawn independently.
 * @throws HeedError as `generateTokens` does
 */
export async function generateTokensBatch(
  model: CausalLM,
  prompts: readonly (readonly number[])[],
  options: Omit<ModelOptions, 'stop'> = {},
): Promise<number[][]> {
  checkBatch(model, prompts, options)
  for (const prompt of prompts) checkPrompt(prompt, model.vocabSize)
  const context = { promptLength: longest(prompts), samples: true, lacks: TOKENS_ONLY }
  const settings = settingsOf(model, options, context)
  const { write } = settings
  const steps = batchSteps(model, settings)
  const texts: number[][] = prompts.map(() => [])
  for await (const written of writeTokens(steps, prompts, write))
    for (const [row, step] of written.entries()) if (step) texts[row].push(step.token)
  return texts
}

/** Creates a step model for a batch, with guidance if the settings ask for it. */
export function batchSteps(model: CausalLM, { write, guidance }: Settings): StepModel {
  const newDecoder = (): StepModel => new BatchDecoder(model, { maxTokens: write.maxTokens })
  if (guidance === 1) return newDecoder()
  return new GuidedModel(newDecoder(), newDecoder(), guidance)
}

export const longest = (rows: readonly (readonly number[])[]): number =>
  rows.reduce((most, { length }) => Math.max(most, length), 0)

/** @throws HeedError unless the prompt is a list of token ids of the vocabulary */
export function checkPrompt(prompt: readonly number[], vocabSize: number): void {
  checkArgument('generate', 'prompt', prompt, 'numbers')
  const wrong = prompt.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize)
  if (wrong !== undefined)
    throw new HeedError(
      'invalid-option',
      `Token ids must be whole numbers below the vocabulary size (${vocabSize}), got ${wrong}`,
      { key: 'prompt', value: wrong, remedy: 'Use the tokenizer of the model.' },
    )
}

/** Settings that functions on tokens do not support. */
const TOKENS_ONLY = ['num_beams', 'num_return_sequences', 'stop_strings'] as const

const SHORTEST_CONTEXT = 64
