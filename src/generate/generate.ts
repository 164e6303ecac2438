// Generation of text.
import type { CausalLM } from '../models/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { type OptionKinds, optionKinds } from '../util/options.ts'
import { BatchDecoder } from './batch-decoder.ts'
import { beamSearch, type Hypothesis } from './beam-search.ts'
import {
  configOf,
  MODEL_OPTIONS,
  type ModelOptions,
  SEARCH_OPTIONS,
  type SearchOptions,
  type Settings,
  settingsOf,
} from './config/settings.ts'
import {
  batchSteps,
  checkPrompt,
  type GenerateTokensOptions,
  longest,
  stepsOf,
  TOKEN_OPTIONS,
} from './generate-tokens.ts'
import type { StepModel } from './step-model.ts'
import { promptTokens, stopAt, type TextTokenizer, TextWriter, textOf } from './text-writer.ts'
import { type Written, writeTokens } from './write-tokens.ts'

/** Options of `generate`, `generateTextSteps` and `generateSeveral`. */
export type GenerateOptions = GenerateTokensOptions & Pick<ModelOptions, 'stop'> & SearchOptions

/** A prompt as text or as token ids. */
export type Prompt = string | readonly number[]

export const GENERATE_OPTIONS: OptionKinds<GenerateOptions> = {
  ...MODEL_OPTIONS,
  ...TOKEN_OPTIONS,
  ...SEARCH_OPTIONS,
}
const BATCH_OPTIONS: OptionKinds<GenerateBatchOptions> = { ...MODEL_OPTIONS, ...SEARCH_OPTIONS }
const { temperature: _, ...BEAM_OPTIONS } = BATCH_OPTIONS
const FROM = { model: 'model', tokenizer: 'tokenizer' } as const
const ONE = {
  ...FROM,
  prompt: 'any',
  options: optionKinds<GenerateOptions>(GENERATE_OPTIONS),
} as const
const MANY = { ...FROM, prompts: 'list' } as const
const checkGenerate = argumentKinds('generate', ONE)
const checkSteps = argumentKinds('generateTextSteps', ONE)
const checkSeveral = argumentKinds('generateSeveral', { ...MANY, options: ONE.options })
const checkBatch = argumentKinds('generateBatch', {
  ...MANY,
  options: optionKinds<GenerateBatchOptions>(BATCH_OPTIONS),
})
const checkBeams = argumentKinds('generateBeams', {
  ...FROM,
  prompt: 'any',
  options: optionKinds<GenerateBeamsOptions>(BEAM_OPTIONS),
})

/**
 * Continues a prompt, and yields the new text in pieces of complete characters. Beam search yields its text in one piece.
 * Omitted options follow the generation_config.json of the model. Aborting `signal` throws its reason.
 * @throws HeedError for ids outside the vocabulary, and for options out of range
 */
export async function* generate(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<string, void, undefined> {
  checkGenerate(model, tokenizer, prompt, options)
  const tokens = promptOf(model, tokenizer, prompt, options)
  const settings = settingsOf(model, options, {
    tokenizer,
    promptLength: tokens.length,
    samples: true,
    lacks: options.drafter ? DRAFTED : ONE_TEXT,
  })
  if (settings.search.beams > 1) {
    const [[{ text }]] = await searchTexts(model, tokenizer, [tokens], settings)
    if (text) yield text
    return
  }
  yield* piecesOf(model, tokenizer, tokens, settings, options)
}

async function* piecesOf(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompt: readonly number[],
  settings: Settings,
  options: Parameters<typeof stepsOf>[3],
): AsyncGenerator<string, void, undefined> {
  const writer = new TextWriter(tokenizer, { stop: settings.stop, after: prompt })
  for await (const { token } of stepsOf(model, prompt, settings, options)) {
    const piece = writer.push(token)
    if (piece) yield piece
    if (writer.stopped) return
  }
  const left = writer.end()
  if (left) yield left
}

/** Yields the tokens of the text that `generate` yields, each with its logits (V). A stop string is not included. */
export async function* generateTextSteps(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<Written, void, undefined> {
  checkSteps(model, tokenizer, prompt, options)
  const tokens = promptOf(model, tokenizer, prompt, options)
  const context = { tokenizer, promptLength: tokens.length, samples: true, lacks: STEP_BY_STEP }
  const settings = settingsOf(model, options, context)
  const writer = new TextWriter(tokenizer, { stop: settings.stop, after: tokens })
  for await (const written of stepsOf(model, tokens, settings, options)) {
    writer.push(written.token)
    if (writer.stopped) return
    yield written
  }
}

/** Options of `generateBatch` and `continueBatch`. */
export type GenerateBatchOptions = ModelOptions & SearchOptions

/** Continues several prompts in one batch. Returns the new text of each. */
export async function generateBatch(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompts: readonly Prompt[],
  options: GenerateBatchOptions = {},
): Promise<string[]> {
  checkBatch(model, tokenizer, prompts, options)
  const rows = prompts.map((prompt) => promptOf(model, tokenizer, prompt, options))
  return continueBatch(model, tokenizer, rows, options)
}

/** Continues several prompts of token ids in one batch. Returns the new text of each. */
export async function continueBatch(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompts: readonly (readonly number[])[],
  options: GenerateBatchOptions = {},
): Promise<string[]> {
  checkBatch(model, tokenizer, prompts, options)
  const context = { tokenizer, promptLength: longest(prompts), samples: true, lacks: ONE_TEXT }
  const settings = settingsOf(model, options, context)
  if (settings.search.beams === 1) return writeBatch(model, tokenizer, prompts, settings)
  const texts = await searchTexts(model, tokenizer, prompts, settings)
  return texts.map(([{ text }]) => text)
}

/** Returns `num_return_sequences` continuations of each prompt, sampled or found by beam search. */
export async function generateSeveral(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompts: readonly Prompt[],
  options: GenerateOptions = {},
): Promise<string[][]> {
  checkSeveral(model, tokenizer, prompts, options)
  const rows = prompts.map((prompt) => promptOf(model, tokenizer, prompt, options))
  const context = { tokenizer, promptLength: longest(rows), samples: true }
  const settings = settingsOf(model, options, context)
  if (settings.search.beams > 1) {
    const texts = await searchTexts(model, tokenizer, rows, settings)
    return texts.map((hypotheses) => hypotheses.map(({ text }) => text))
  }
  const count = settings.write.temperature === 0 ? 1 : settings.texts // greedy decoding has one result
  if (rows.length === 1 && count === 1) {
    let text = ''
    for await (const piece of piecesOf(model, tokenizer, rows[0], settings, options)) text += piece
    return [[text]]
  }
  const repeated = rows.flatMap((row) => Array<number[]>(count).fill(row))
  const texts = await writeBatch(model, tokenizer, repeated, settings)
  return rows.map((_, i) => texts.slice(i * count, (i + 1) * count))
}

async function writeBatch(
  model: CausalLM,
  tokenizer: TextTokenizer,
  rows: readonly (readonly number[])[],
  settings: Settings,
): Promise<string[]> {
  for (const row of rows) checkPrompt(row, model.vocabSize)
  return writeTexts(batchSteps(model, settings), tokenizer, rows, settings)
}

/** Writes the texts of a batch with a step model and complete settings. */
export async function writeTexts(
  steps: StepModel,
  tokenizer: TextTokenizer,
  rows: readonly (readonly number[])[],
  { write, stop }: Pick<Settings, 'write' | 'stop'>,
): Promise<string[]> {
  const writers = rows.map((row) => new TextWriter(tokenizer, { stop, after: row }))
  const texts = rows.map(() => '')
  const endsAfter = (row: number, token: number): boolean => {
    texts[row] += writers[row].push(token)
    return writers[row].stopped
  }
  for await (const _ of writeTokens(steps, rows, write, { endsAfter }));
  return texts.map((text, row) => text + writers[row].end())
}

/** Options of `generateBeams`. */
export type GenerateBeamsOptions = Omit<ModelOptions, 'temperature'> & SearchOptions

/** Searches for the most probable continuations of a prompt, best first, within the context length of the model. */
export async function generateBeams(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompt: Prompt,
  options: GenerateBeamsOptions = {},
): Promise<{ text: string; score: number }[]> {
  checkBeams(model, tokenizer, prompt, options)
  const tokens = promptOf(model, tokenizer, prompt, options)
  const context = { tokenizer, promptLength: tokens.length, samples: false }
  const settings = settingsOf(model, options, context)
  const [texts] = await searchTexts(model, tokenizer, [tokens], settings)
  return texts
}

async function searchTexts(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompts: readonly (readonly number[])[],
  settings: Settings,
): Promise<{ text: string; score: number }[][]> {
  for (const prompt of prompts) checkPrompt(prompt, model.vocabSize)
  const room = Math.max(1, model.contextLength - longest(prompts))
  const maxTokens = Math.min(settings.write.maxTokens, room)
  const steps = new BatchDecoder(model, { maxTokens })
  const limited = { ...settings, write: { ...settings.write, maxTokens } }
  const found = await beamSearch(steps, prompts, searchOptions(limited, tokenizer))
  return found.map((hypotheses, i) =>
    hypotheses.map((hypothesis) => ({
      text: textOfHypothesis(hypothesis, tokenizer, settings, prompts[i]),
      score: hypothesis.score,
    })),
  )
}

/** The options of beam search for complete settings. */
export const searchOptions = ({ write, stop, search }: Settings, tokenizer?: TextTokenizer) => {
  const { maxTokens, stopTokens, processors = [], signal } = write
  const ends = stop.length > 0 && tokenizer ? [stopAt(stop, tokenizer)] : []
  return { ...search, maxTokens, stopTokens, processors: [...processors, ...ends], signal }
}

/** The text of a hypothesis, without its stop token or stop string. */
export function textOfHypothesis(
  { tokens }: Hypothesis,
  tokenizer: TextTokenizer,
  { write, stop }: Settings,
  after?: readonly number[],
): string {
  const ended = write.stopTokens.includes(tokens[tokens.length - 1])
  return textOf(ended ? tokens.slice(0, -1) : tokens, tokenizer, { stop, after })
}

/** The tokens of a prompt; for an empty text, the beginning-of-text token of the model. */
function promptOf(
  model: CausalLM,
  tokenizer: TextTokenizer,
  prompt: Prompt,
  { generationConfig }: Pick<ModelOptions, 'generationConfig'>,
): number[] {
  if (typeof prompt !== 'string') {
    checkPrompt(prompt, model.vocabSize)
    return [...prompt]
  }
  return promptTokens(tokenizer, prompt, configOf(model, generationConfig).bos_token_id?.[0])
}

/** Settings that a function does not support. */
const ONE_TEXT = ['num_return_sequences'] as const
const STEP_BY_STEP = ['num_beams', 'num_return_sequences'] as const
const DRAFTED = [...STEP_BY_STEP, 'guidance_scale'] as const
