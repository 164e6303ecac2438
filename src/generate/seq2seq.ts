// Generation by encoder-decoders.
import type { Seq2SeqLM } from '../models/index.ts'
import { type BeamOptions, beamSearch, type Hypothesis } from './beam-search.ts'
import { checkMaxTokens } from './processors/processor.ts'
import { Seq2SeqDecoder } from './seq2seq-decoder.ts'
import { type WriteOptions, type Written, writeTokens } from './write-tokens.ts'

export interface Seq2SeqWriteOptions extends WriteOptions {
  /** A decoder of the same model, whose programs and memory are reused. */
  decoder?: Seq2SeqDecoder
}

/** Generates a text from the tokens of another, token by token, with the logits of each. */
export async function* seq2SeqSteps(
  model: Seq2SeqLM,
  source: readonly number[],
  { decoder = new Seq2SeqDecoder(model), ...options }: Seq2SeqWriteOptions = {},
): AsyncGenerator<Written, void, undefined> {
  const steps = decoder.read([source])
  const settings = { ...options, maxTokens: roomIn(model, options.maxTokens) }
  for await (const [written] of writeTokens(steps, startsOf(model, 1), settings))
    if (written) yield written
}

/**
 * Generates a text from each of several sources of token ids: the most probable tokens, or with a temperature, sampled
 * ones. The stop token is not part of the result.
 */
export async function generateSeq2Seq(
  model: Seq2SeqLM,
  sources: readonly (readonly number[])[],
  { decoder = new Seq2SeqDecoder(model), ...options }: Seq2SeqWriteOptions = {},
): Promise<number[][]> {
  const texts: number[][] = sources.map(() => [])
  const steps = decoder.read(sources)
  const settings = { temperature: 0, ...options, maxTokens: roomIn(model, options.maxTokens) }
  for await (const written of writeTokens(steps, startsOf(model, sources.length), settings))
    for (const [row, step] of written.entries()) if (step) texts[row].push(step.token)
  return texts
}

export interface Seq2SeqBeamOptions extends BeamOptions {
  decoder?: Seq2SeqDecoder
}

/** The most probable texts for each source that beam search finds, the best first. */
export async function seq2SeqBeams(
  model: Seq2SeqLM,
  sources: readonly (readonly number[])[],
  { decoder = new Seq2SeqDecoder(model), ...options }: Seq2SeqBeamOptions,
): Promise<Hypothesis[][]> {
  const steps = decoder.read(sources)
  const settings = { ...options, maxTokens: roomIn(model, options.maxTokens) }
  return beamSearch(steps, startsOf(model, sources.length), settings)
}

const startsOf = (model: Seq2SeqLM, count: number): number[][] =>
  Array.from({ length: count }, () => [model.decoderStartTokenId])

/** A text is no longer than the context of the model. */
function roomIn({ contextLength }: Seq2SeqLM, maxTokens = 100): number {
  checkMaxTokens(maxTokens)
  return Math.min(maxTokens, contextLength - 1)
}
