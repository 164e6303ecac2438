import {
  type GenerationDefaults,
  generateSeq2Seq,
  type LogitsProcessor,
  type SamplingOptions,
  type Seq2SeqBeamOptions,
  Seq2SeqDecoder,
  type Seq2SeqWriteOptions,
  seq2SeqBeams,
} from '../generate/index.ts'
import type { Seq2SeqLM } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { checkBatchSize } from './run-examples.ts'

export interface TextToTextOptions extends SamplingOptions {
  /** Width of the beam search; 1 takes the likeliest token each time. */
  beams?: number
  maxTokens?: number
  /** Above 0 favours long texts among the beams. */
  lengthPenalty?: number
  /** Further rules for the choice of the next token. */
  processors?: readonly LogitsProcessor[]
  /** Texts that are generated together. Default 8. */
  batchSize?: number
  signal?: AbortSignal
}

export interface TextToTextSource extends ModelWithTokenizer<Seq2SeqLM> {
  /** The tokenizer of generated texts, where it differs. */
  targetTokenizer?: Tokenizer
  /** The settings of generation_config.json; options override them. */
  defaults?: GenerationDefaults
}

type Texts = string | readonly string[]

/** Generates a text from each text; the results are in the order of the texts. */
export type TextToText = (
  texts: Texts,
  options?: TextToTextOptions,
) => Promise<{ generated_text: string }[]>
export type Translation = (
  texts: Texts,
  options?: TextToTextOptions,
) => Promise<{ translation_text: string }[]>
export type Summarization = (
  texts: Texts,
  options?: TextToTextOptions,
) => Promise<{ summary_text: string }[]>

export function textToText(source: TextToTextSource): TextToText {
  const write = writer(source)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ generated_text: text }))
}

export function translation(source: TextToTextSource): Translation {
  const write = writer(source)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ translation_text: text }))
}

export function summarization(source: TextToTextSource): Summarization {
  const write = writer(source)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ summary_text: text }))
}

function writer({
  model,
  tokenizer,
  targetTokenizer = tokenizer,
  defaults,
}: TextToTextSource): (texts: Texts, options?: TextToTextOptions) => Promise<string[]> {
  const decoder = new Seq2SeqDecoder(model)
  const end = targetTokenizer.eosTokenId
  const configured = defaults?.stopTokens ?? []
  const stopTokens = configured.length > 0 || end === undefined ? configured : [end]
  return async (input, { batchSize = 8, ...options } = {}) => {
    const { temperature = 0, beams = temperature > 0 ? 1 : (defaults?.beams ?? 1) } = options
    const limit = options.maxTokens ?? defaults?.maxTokens ?? DEFAULT_MAX_TOKENS
    const maxTokens = Math.min(limit, model.contextLength - 1)
    const texts = typeof input === 'string' ? [input] : input
    return writeTexts(
      { model, targetTokenizer, decoder },
      texts.map((text) => tokenizer.encode(text)),
      {
        ...options,
        temperature,
        beams,
        batchSize,
        stopTokens,
        maxTokens: () => maxTokens,
        processors: [...(defaults?.processors(maxTokens) ?? []), ...(options.processors ?? [])],
        lengthPenalty: options.lengthPenalty ?? defaults?.lengthPenalty,
        earlyStopping: defaults?.earlyStopping,
      },
    )
  }
}

const DEFAULT_MAX_TOKENS = 200

export interface WriteTextsOptions
  extends Omit<Seq2SeqWriteOptions & Seq2SeqBeamOptions, 'maxTokens' | 'decoder' | 'beams'> {
  /** Length limit of each text in tokens, for a longest source of that many tokens. */
  maxTokens: (sourceLength: number) => number
  /** Width of the beam search. Default 1: the likeliest token each time. */
  beams?: number
  batchSize: number
}

/** The text that the model generates from each source; sources of similar length are read together. */
export async function writeTexts(
  {
    model,
    targetTokenizer,
    decoder = new Seq2SeqDecoder(model),
  }: { model: Seq2SeqLM; targetTokenizer: Tokenizer; decoder?: Seq2SeqDecoder },
  sources: readonly (readonly number[])[],
  { maxTokens, beams = 1, batchSize, ...options }: WriteTextsOptions,
): Promise<string[]> {
  checkBatchSize(batchSize)
  model.eval()
  const order = sources.map((_, i) => i)
  // Sampling draws by row: there the order of the texts must not depend on their lengths.
  if (!options.temperature) order.sort((a, b) => sources[b].length - sources[a].length)
  const texts = new Array<string>(sources.length)
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.slice(start, start + batchSize)
    const batch = chosen.map((i) => sources[i])
    const longest = batch.reduce((most, { length }) => Math.max(most, length), 0)
    const settings = { ...options, decoder, maxTokens: maxTokens(longest) }
    const generated =
      beams > 1
        ? (await seq2SeqBeams(model, batch, { ...settings, beams })).map(([{ tokens }]) => tokens)
        : await generateSeq2Seq(model, batch, settings)
    chosen.forEach((i, row) => {
      texts[i] = targetTokenizer.decode(generated[row], { skipSpecialTokens: true })
    })
  }
  return texts
}
