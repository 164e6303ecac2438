// Whether one system is better than another, or was lucky with the texts.
import { HeedError } from '../util/errors.ts'
import { randomBelow } from '../util/random.ts'
import { addCounts, countsOf, type References, type TextMetric } from './text-metric.ts'

export interface BootstrapOptions {
  /** How often the texts are drawn. Default 1000. */
  samples?: number
  /** Default 0. */
  seed?: number
}

export interface BootstrapResult {
  /** Of each system, on all texts. */
  scores: [number, number]
  /** The second's less the first's. */
  difference: number
  /** 95 of 100 samples' differences lie between these. */
  interval: [number, number]
  /** How probable so large a difference would be, either way, if both were equally good. */
  pValue: number
}

/**
 * Paired bootstrap (Koehn, 2004): as many texts as there are are drawn with replacement, the same ones
 * of both systems, again and again. Equally good systems would differ by what samples differ from
 * their mean.
 */
export function pairedBootstrap(
  metric: TextMetric,
  [first, second]: readonly [readonly string[], readonly string[]],
  references: readonly References[],
  { samples = 1000, seed = 0 }: BootstrapOptions = {},
): BootstrapResult {
  if (!Number.isInteger(samples) || samples < 1)
    throw new HeedError('invalid-option', `${samples} samples of a bootstrap test`, {
      remedy: 'It takes 1 or more.',
    })
  const counts = [countsOf(metric, first, references), countsOf(metric, second, references)]
  const [a, b] = counts.map((all) => metric.score(addCounts(all)))
  const texts = references.length
  const differences = Array.from({ length: samples }, (_, draw) => {
    const chosen = Array.from({ length: texts }, (_, i) => randomBelow(texts, seed, draw, i))
    const [x, y] = counts.map((all) => metric.score(addCounts(chosen.map((i) => all[i]))))
    return y - x
  }).sort((x, y) => x - y)
  const mean = differences.reduce((sum, x) => sum + x, 0) / samples
  const chance = differences.filter((x) => Math.abs(x - mean) >= Math.abs(b - a)).length
  const edge = Math.floor(samples / 40)
  return {
    scores: [a, b],
    difference: b - a,
    interval: [differences[edge], differences[samples - 1 - edge]],
    pValue: (chance + 1) / (samples + 1),
  }
}
