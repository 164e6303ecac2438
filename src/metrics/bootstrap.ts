// Significance test for the difference between two systems.
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { optionKinds, ruleOf } from '../util/options.ts'
import { randomBelow } from '../util/random.ts'
import { addCounts, countsOf, type References, type TextMetric } from './text-metric.ts'

/** Options of `pairedBootstrap`. */
export interface BootstrapOptions {
  /** Number of bootstrap samples. Default 1000. */
  samples?: number
  /** Default 0. */
  seed?: number
}

/** Result of `pairedBootstrap`. */
export interface BootstrapResult {
  /** The score of each system on all texts. */
  scores: [number, number]
  /** The second score minus the first. */
  difference: number
  /** 95 % confidence interval of the difference. */
  interval: [number, number]
  /** Two-sided p-value: the probability of such a difference if the systems are equally good. */
  pValue: number
}

const checkPairedBootstrap = argumentKinds('pairedBootstrap', {
  metric: optionKinds<TextMetric>({ name: 'text', count: 'function', score: 'function' }),
  systems: 'textLists',
  references: 'list',
  options: optionKinds<BootstrapOptions>({
    samples: { ...ruleOf('size?'), try: [1000] },
    seed: 'number?',
  }),
})

/**
 * Paired bootstrap resampling (Koehn, 2004): samples of the texts, drawn with replacement, are scored for both systems.
 * The p-value compares the difference with the deviations of the samples from their mean.
 * @throws HeedError if the systems have different numbers of texts
 */
export function pairedBootstrap(
  metric: TextMetric,
  systems: readonly [readonly string[], readonly string[]],
  references: readonly References[],
  options: BootstrapOptions = {},
): BootstrapResult {
  checkPairedBootstrap(metric, systems, references, options)
  const [first, second] = systems
  checkArgument('pairedBootstrap', 'systems[1]', second, 'texts')
  const { samples = 1000, seed = 0 } = options
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
