import {
  type GenerationDefaults,
  generateSeq2Seq,
  type LogitsProcessor,
  type SamplingOptions,
  Seq2SeqDecoder,
  seq2SeqBeams,
} from '../generate/index.ts'
import type { Seq2SeqLM } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Parts } from './pipeline.ts'

export interface TextToTextOptions extends SamplingOptions {
  /** How wide the search for the likeliest text is; 1 takes the likeliest token each time. */
  beams?: number
  maxTokens?: number
  /** Above 0 favours long texts among the beams'. */
  lengthPenalty?: number
  /** Further rules about what may come next. */
  processors?: readonly LogitsProcessor[]
  /** Texts that are written together. Default 8. */
  batchSize?: number
  signal?: AbortSignal
}

export interface TextToTextParts extends Parts<Seq2SeqLM> {
  /** Of what is written, where it is another. */
  targetTokenizer?: Tokenizer
  /** What generation_config.json says; options go before it. */
  defaults?: GenerationDefaults
}

type Texts = string | readonly string[]

/** Writes a text from each text; a result for each, in their order. */
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

export function textToText(parts: TextToTextParts): TextToText {
  const write = writer(parts)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ generated_text: text }))
}

export function translation(parts: TextToTextParts): Translation {
  const write = writer(parts)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ translation_text: text }))
}

export function summarization(parts: TextToTextParts): Summarization {
  const write = writer(parts)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ summary_text: text }))
}

function writer({
  model,
  tokenizer,
  targetTokenizer = tokenizer,
  defaults,
}: TextToTextParts): (texts: Texts, options?: TextToTextOptions) => Promise<string[]> {
  const decoder = new Seq2SeqDecoder(model)
  const end = targetTokenizer.eosTokenId
  const ownEnds = defaults?.stopTokens ?? []
  const stopTokens = ownEnds.length > 0 || end === undefined ? ownEnds : [end]
  return async (input, { batchSize = 8, ...options } = {}) => {
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new HeedError(
        'invalid-option',
        `batchSize ${batchSize} is not a whole number of at least 1`,
      )
    const { temperature = 0, beams = temperature > 0 ? 1 : (defaults?.beams ?? 1) } = options
    const longest = defaults?.maxTokens ?? USUAL
    const maxTokens = Math.min(options.maxTokens ?? longest, model.contextLength - 1)
    const processors = [...(defaults?.processors(maxTokens) ?? []), ...(options.processors ?? [])]
    const { lengthPenalty = defaults?.lengthPenalty, signal } = options
    const earlyStopping = defaults?.earlyStopping
    const shared = { decoder, maxTokens, stopTokens, processors, signal }
    const sources = (typeof input === 'string' ? [input] : input).map((text) =>
      tokenizer.encode(text),
    )
    const written: string[] = []
    for (let at = 0; at < sources.length; at += batchSize) {
      const batch = sources.slice(at, at + batchSize)
      const found =
        beams > 1
          ? (
              await seq2SeqBeams(model, batch, { ...shared, beams, lengthPenalty, earlyStopping })
            ).map(([{ tokens }]) => tokens)
          : await generateSeq2Seq(model, batch, { ...options, ...shared, temperature })
      for (const tokens of found)
        written.push(targetTokenizer.decode(tokens, { skipSpecialTokens: true }))
    }
    return written
  }
}

const USUAL = 200
