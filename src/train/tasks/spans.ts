// Spans that are taken out of a text, as in T5's pre-training (Raffel et al., 2020, section 3.1.4).
import type { Draws } from '../draws.ts'

export interface SpanSettings {
  /** Share of the tokens that are taken out. */
  noiseShare: number
  /** Tokens of a span on average. */
  spanLength: number
}

/** How many tokens of a text are taken out, in how many spans. Both grow with the text. */
export function spanCounts(
  length: number,
  { noiseShare, spanLength }: SpanSettings,
): { noise: number; spans: number } {
  const noise = Math.min(Math.max(1, halfToEven(length * noiseShare)), length - 1)
  const spans = Math.min(Math.max(1, halfToEven(noise / spanLength)), length - noise)
  return { noise, spans }
}

/** Lengths of the spans that are kept and taken, in turns; the text begins with a kept one. */
export interface Spans {
  kept: readonly number[]
  taken: readonly number[]
}

/** Draws the spans of a text; all that have these numbers are equally likely. */
export function drawSpans(length: number, settings: SpanSettings, draws: Draws): Spans {
  const { noise, spans } = spanCounts(length, settings)
  const taken = randomSum(noise, spans, draws)
  return { kept: randomSum(length - noise, spans, draws), taken }
}

/** A text with spans taken out, and these spans, as the source and the target of an encoder-decoder. */
export interface Corrupted {
  source: number[]
  target: number[]
}

/** The text with a sentinel for each span taken, and the spans, each after its sentinel. */
export function takeSpans(
  ids: readonly number[],
  { kept, taken }: Spans,
  { sentinels, end }: { sentinels: readonly number[]; end: number },
): Corrupted {
  const [source, target]: number[][] = [[], []]
  let at = 0
  for (let i = 0; i < kept.length; i++) {
    source.push(...ids.slice(at, at + kept[i]), sentinels[i])
    at += kept[i]
    target.push(sentinels[i], ...ids.slice(at, at + taken[i]))
    at += taken[i]
  }
  return { source: [...source, end], target: [...target, end] }
}

/** The nearest whole number; of two, the even one, as NumPy and TensorFlow round. */
function halfToEven(x: number): number {
  const nearest = Math.round(x)
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

/** A number as a sum of `count` numbers of 1 or more, all such sums being equally likely. */
function randomSum(total: number, count: number, draws: Draws): number[] {
  const cuts = draws.some(count - 1, total - 1).sort((a, b) => a - b)
  const ends = [...cuts.map((cut) => cut + 1), total]
  return ends.map((end, i) => end - (ends[i - 1] ?? 0))
}
