// Texts from texts: what encoder-decoders write.
import type { Seq2SeqLM } from '../models/index.ts'
import { HeedError } from '../util/errors.ts'
import { type BeamOptions, beamSearch, type Hypothesis } from './beam-search.ts'
import { Seq2SeqDecoder } from './seq2seq-decoder.ts'
import { type WriteOptions, type Written, writeTokens } from './write-tokens.ts'

export interface Seq2SeqWriteOptions extends WriteOptions {
  /** One that has run before on the same model: its programs and memory are used again. */
  decoder?: Seq2SeqDecoder
}

/** Writes a text from the tokens of another, token by token, with the logits of each. */
export async function* seq2SeqSteps(
  model: Seq2SeqLM,
  source: readonly number[],
  { decoder = new Seq2SeqDecoder(model), ...options }: Seq2SeqWriteOptions = {},
): AsyncGenerator<Written, void, undefined> {
  const steps = decoder.read([source])
  const settings = { ...options, maxTokens: roomIn(model, options.maxTokens) }
  for await (const [one] of writeTokens(steps, startsOf(model, 1), settings)) if (one) yield one
}

/**
 * Writes a text from each of several sources of token ids at once: the likeliest tokens, or with a
 * temperature, tokens drawn. The stop token is not part of what is returned.
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
    for (const [row, one] of written.entries()) if (one) texts[row].push(one.token)
  return texts
}

export interface Seq2SeqBeamOptions extends BeamOptions {
  decoder?: Seq2SeqDecoder
}

/** The likeliest texts for each source that a beam search finds, the best first. */
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

/** What is written is no longer than the model can see. */
function roomIn({ contextLength }: Seq2SeqLM, maxTokens = 100): number {
  if (!(maxTokens >= 0))
    throw new HeedError('invalid-option', `maxTokens ${maxTokens}: it is 0 or more`)
  return Math.min(maxTokens, contextLength - 1)
}
