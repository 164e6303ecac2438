// Generation with encoder-decoders.
import type { Seq2SeqLM } from '../models/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { type OptionKinds, optionKinds } from '../util/options.ts'
import { beamSearch, type Hypothesis } from './beam-search.ts'
import {
  configOf,
  MODEL_OPTIONS,
  type ModelOptions,
  SEARCH_OPTIONS,
  type SearchOptions,
  type Settings,
  type SettingsContext,
  settingsOf,
} from './config/settings.ts'
import { searchOptions, textOfHypothesis } from './generate.ts'
import { Seq2SeqDecoder } from './seq2seq-decoder.ts'
import { type TextTokenizer, TextWriter } from './text-writer.ts'
import { type Written, writeTokens } from './write-tokens.ts'

/** Options of `generateSeq2Seq` and `seq2SeqSteps`. */
export interface Seq2SeqWriteOptions extends Omit<ModelOptions, 'stop'> {
  /** A decoder of the same model to reuse, with its programs and memory. */
  decoder?: Seq2SeqDecoder
}

const { stop, ...WITHOUT_TEXT } = MODEL_OPTIONS
const STEPS: OptionKinds<Seq2SeqWriteOptions> = { ...WITHOUT_TEXT, decoder: 'object?' }
const BEAMS: OptionKinds<Seq2SeqBeamOptions> = { ...STEPS, ...SEARCH_OPTIONS }
export const SEQ2SEQ_OPTIONS: OptionKinds<Seq2SeqTextOptions> = { ...BEAMS, stop }
const TEXT_RULES = optionKinds<Seq2SeqTextOptions>(SEQ2SEQ_OPTIONS)
const STEP_RULES = optionKinds<Seq2SeqWriteOptions>(STEPS)
const SOURCES = { model: 'model', sources: 'list' } as const
const checkSteps = argumentKinds('seq2SeqSteps', {
  model: 'model',
  source: 'numbers',
  options: STEP_RULES,
})
const checkTokens = argumentKinds('generateSeq2Seq', { ...SOURCES, options: STEP_RULES })
const checkBeams = argumentKinds('seq2SeqBeams', {
  ...SOURCES,
  options: optionKinds<Seq2SeqBeamOptions>(BEAMS),
})
const checkTexts = argumentKinds('generateSeq2SeqTexts', {
  model: 'model',
  targetTokenizer: 'tokenizer',
  sources: 'list',
  options: TEXT_RULES,
})
const checkText = argumentKinds('generateSeq2SeqText', {
  model: 'model',
  targetTokenizer: 'tokenizer',
  source: 'numbers',
  options: TEXT_RULES,
})

/** Generates a target text for the tokens of a source; yields each token with its logits (V). */
export async function* seq2SeqSteps(
  model: Seq2SeqLM,
  source: readonly number[],
  options: Seq2SeqWriteOptions = {},
): AsyncGenerator<Written, void, undefined> {
  checkSteps(model, source, options)
  yield* stepsOf(model, source, seq2SeqSettings(model, options, { lacks: TOKENS_ONLY }), options)
}

/**
 * Generates the tokens of a target text for each source of token ids, greedily or, with a temperature, by sampling. The
 * stop token is not included.
 * @throws HeedError for sources that are empty or longer than the context, and for options out of range
 */
export async function generateSeq2Seq(
  model: Seq2SeqLM,
  sources: readonly (readonly number[])[],
  given: Seq2SeqWriteOptions = {},
): Promise<number[][]> {
  checkTokens(model, sources, given)
  const { decoder = new Seq2SeqDecoder(model), ...options } = given
  const { write } = seq2SeqSettings(model, options, { lacks: TOKENS_ONLY })
  const prompts = startsOf(model, options, sources.length)
  const texts: number[][] = sources.map(() => [])
  for await (const written of writeTokens(decoder.read(sources), prompts, write, { sources }))
    for (const [row, step] of written.entries()) if (step) texts[row].push(step.token)
  return texts
}

/** Options of `seq2SeqBeams`. */
export interface Seq2SeqBeamOptions extends Seq2SeqWriteOptions, SearchOptions {}

/** Searches for the most probable target texts of each source, best first. */
export async function seq2SeqBeams(
  model: Seq2SeqLM,
  sources: readonly (readonly number[])[],
  options: Seq2SeqBeamOptions = {},
): Promise<Hypothesis[][]> {
  checkBeams(model, sources, options)
  const settings = seq2SeqSettings(model, options, { lacks: ['stop_strings'] })
  return searchFrom(model, sources, settings, options)
}

/** Options of `generateSeq2SeqText` and `generateSeq2SeqTexts`. */
export interface Seq2SeqTextOptions extends Seq2SeqBeamOptions, Pick<ModelOptions, 'stop'> {}

/** Generates the target text of each source of token ids, token by token or by beam search. */
export async function generateSeq2SeqTexts(
  model: Seq2SeqLM,
  targetTokenizer: TextTokenizer,
  sources: readonly (readonly number[])[],
  options: Seq2SeqTextOptions = {},
): Promise<string[]> {
  checkTexts(model, targetTokenizer, sources, options)
  const settings = seq2SeqSettings(model, options, { tokenizer: targetTokenizer, lacks: ONE_TEXT })
  if (settings.search.beams > 1) {
    const found = await searchFrom(model, sources, settings, options, targetTokenizer)
    return found.map(([best]) => textOfHypothesis(best, targetTokenizer, settings))
  }
  const { decoder = new Seq2SeqDecoder(model) } = options
  const writers = sources.map(() => new TextWriter(targetTokenizer, settings))
  const texts = sources.map(() => '')
  const endsAfter = (row: number, token: number): boolean => {
    texts[row] += writers[row].push(token)
    return writers[row].stopped
  }
  const prompts = startsOf(model, options, sources.length)
  const steps = writeTokens(decoder.read(sources), prompts, settings.write, { sources, endsAfter })
  for await (const _ of steps);
  return texts.map((text, row) => text + writers[row].end())
}

/** Generates the target text of one source, and yields it in pieces. Beam search yields its text in one piece. */
export async function* generateSeq2SeqText(
  model: Seq2SeqLM,
  targetTokenizer: TextTokenizer,
  source: readonly number[],
  options: Seq2SeqTextOptions = {},
): AsyncGenerator<string, void, undefined> {
  checkText(model, targetTokenizer, source, options)
  const settings = seq2SeqSettings(model, options, { tokenizer: targetTokenizer, lacks: ONE_TEXT })
  if (settings.search.beams > 1) {
    const [text] = await generateSeq2SeqTexts(model, targetTokenizer, [source], options)
    if (text) yield text
    return
  }
  const writer = new TextWriter(targetTokenizer, settings)
  for await (const { token } of stepsOf(model, source, settings, options)) {
    const piece = writer.push(token)
    if (piece) yield piece
    if (writer.stopped) return
  }
  const left = writer.end()
  if (left) yield left
}

async function* stepsOf(
  model: Seq2SeqLM,
  source: readonly number[],
  { write }: Settings,
  { decoder = new Seq2SeqDecoder(model), ...options }: Seq2SeqWriteOptions,
): AsyncGenerator<Written, void, undefined> {
  const prompts = startsOf(model, options, 1)
  const sources = [source]
  for await (const [written] of writeTokens(decoder.read(sources), prompts, write, { sources }))
    if (written) yield written
}

async function searchFrom(
  model: Seq2SeqLM,
  sources: readonly (readonly number[])[],
  settings: Settings,
  { decoder = new Seq2SeqDecoder(model), ...options }: Seq2SeqWriteOptions,
  targetTokenizer?: TextTokenizer,
): Promise<Hypothesis[][]> {
  const prompts = startsOf(model, options, sources.length)
  const search = searchOptions(settings, targetTokenizer)
  return beamSearch(decoder.read(sources), prompts, search, { sources })
}

/** The settings of an encoder-decoder: the decoder starts from one token and is limited by the context length. */
const seq2SeqSettings = (
  model: Seq2SeqLM,
  options: Seq2SeqTextOptions,
  context: Pick<SettingsContext, 'tokenizer' | 'lacks'>,
): Settings =>
  settingsOf(model, options, {
    tokenizer: context.tokenizer,
    lacks: [...(context.lacks ?? []), 'guidance_scale'],
    promptLength: 1,
    samples: (options.defaults?.temperature ?? 0) > 0,
    mostTokens: model.contextLength - 1,
  })

/** The first token of each text. */
function startsOf(
  model: Seq2SeqLM,
  { generationConfig }: Pick<ModelOptions, 'generationConfig'>,
  count: number,
): number[][] {
  const { decoder_start_token_id, bos_token_id } = configOf(model, generationConfig)
  const starts = decoder_start_token_id ?? bos_token_id ?? [model.decoderStartTokenId]
  if (starts.length !== 1 && starts.length !== count)
    throw new HeedError(
      'invalid-config',
      `decoder_start_token_id must be one token, or one for each of ${count} texts, got ${starts.length}`,
      { key: 'decoder_start_token_id', value: starts, remedy: 'Use one token.' },
    )
  return Array.from({ length: count }, (_, i) => [starts.length === 1 ? starts[0] : starts[i]])
}

const TOKENS_ONLY = ['num_beams', 'num_return_sequences', 'stop_strings'] as const
const ONE_TEXT = ['num_return_sequences'] as const
