// Draws and removes spans of a text, as in the pre-training of T5 (Raffel et al., 2020, section 3.1.4).
import type { Draws } from '../draws.ts'

export interface SpanSettings {
  /** Fraction of the tokens to remove. */
  noiseShare: number
  /** Mean number of tokens in a span. */
  spanLength: number
}

/** The number of tokens to remove from a text, and the number of spans. */
export function spanCounts(
  length: number,
  { noiseShare, spanLength }: SpanSettings,
): { noise: number; spans: number } {
  const noise = Math.min(Math.max(1, halfToEven(length * noiseShare)), length - 1)
  const spans = Math.min(Math.max(1, halfToEven(noise / spanLength)), length - noise)
  return { noise, spans }
}

/** The lengths of kept and removed spans, which alternate; the text begins with a kept span. */
export interface Spans {
  kept: readonly number[]
  taken: readonly number[]
}

/** Draws the spans of a text; all divisions with the same counts are equally likely. */
export function drawSpans(length: number, settings: SpanSettings, draws: Draws): Spans {
  const { noise, spans } = spanCounts(length, settings)
  const taken = randomSum(noise, spans, draws)
  return { kept: randomSum(length - noise, spans, draws), taken }
}

/** The source and the target of an encoder-decoder: a text without its spans, and the spans. */
export interface Corrupted {
  source: number[]
  target: number[]
}

/** Replaces each removed span by a sentinel; the target has each span after its sentinel. */
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

/** Rounds to the nearest whole number, and ties to even, like NumPy and TensorFlow. */
function halfToEven(x: number): number {
  const nearest = Math.round(x)
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

/** Splits a number into a sum of `count` numbers of at least 1; all such sums are equally likely. */
function randomSum(total: number, count: number, draws: Draws): number[] {
  const cuts = draws.some(count - 1, total - 1).sort((a, b) => a - b)
  const ends = [...cuts.map((cut) => cut + 1), total]
  return ends.map((end, i) => end - (ends[i - 1] ?? 0))
}
