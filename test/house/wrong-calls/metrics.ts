// `heed/metrics`.
import * as metrics from '../../../src/metrics/index.ts'
import { type Argument, arg, type Sample, samplesOf } from './damage.ts'

const texts = (value: readonly string[]): Argument => ({
  value,
  wrong: [undefined, null, 3, {}, [3], [undefined], new Map()],
})
const references = (value: readonly string[]): Argument => ({
  value,
  wrong: [undefined, null, 3, {}, [3], [undefined], ['a', 'b', 'c', 'd']],
})
const two = ['a b', 'c d']
const tags = [['B-X', 'O']]
const labels: Argument = { value: two, wrong: [undefined, null, 3, 'x', {}, ['a']] }
const tagLists: Argument = { value: tags, wrong: [undefined, null, 3, 'x', {}, [3], [[3]], []] }
const sets: Argument = { value: [['a'], []], wrong: [undefined, null, 3, 'x', {}, [3], [[3]]] }
const metric: Argument = { value: metrics.bleuMetric(), wrong: [undefined, null, 3, 'x', {}] }
const numbers: Argument = { value: [1, 2], wrong: [undefined, null, 3, 'x', {}, ['x']] }
const counts = { labels: ['a'], counts: [[1]] }

export const functions: Record<string, readonly Argument[]> = {
  accuracy: [labels, labels],
  bleu: [texts(two), references(two), arg.options({})],
  bleuMetric: [arg.options({})],
  chrf: [texts(two), references(two), arg.options({})],
  chrfMetric: [arg.options({})],
  confusionMatrix: [labels, labels, { value: two, wrong: [null, 3, 'x', {}, ['q']] }],
  corpusScore: [metric, texts(two), references(two)],
  entitiesOf: [texts(['B-X', 'O'])],
  entityF1: [tagLists, tagLists],
  exactMatch: [texts(['a']), arg.text('a')],
  f1FromConfusion: [
    { value: counts, wrong: [undefined, null, 3, 'x', {}, { labels: 3, counts: [] }] },
  ],
  f1FromSets: [sets, sets, { value: ['a'], wrong: [null, 3, 'x', {}] }],
  meanInterval: [numbers],
  meanReciprocalRank: [numbers],
  pairedBootstrap: [
    metric,
    { value: [two, two], wrong: [undefined, null, 3, 'x', {}, [two], [3, 3]] },
    references(two),
    { value: { samples: 2 }, wrong: [null, 3, { sample: 2 }, { samples: 'x' }, { samples: 0 }] },
  ],
  rankOf: [numbers, { value: 0, wrong: [undefined, null, 'x', 1.5, -1, 9] }],
  recallAt: [arg.size(1), numbers],
  rouge: [texts(two), references(two)],
  rougeOf: [arg.text('a'), { value: 'a', wrong: [undefined, null, 3, {}, [3]] }],
  squadF1: [texts(['a']), arg.text('a')],
  tokenize13a: [arg.text('a')],
}

export const samples: Sample[] = samplesOf(metrics, functions)
