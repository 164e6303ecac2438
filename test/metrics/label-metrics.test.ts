import { describe, expect, it } from 'vitest'
import {
  accuracy,
  confusionMatrix,
  entitiesOf,
  entityF1,
  exactMatch,
  type F1Report,
  f1FromConfusion,
  f1FromSets,
  meanReciprocalRank,
  rankOf,
  recallAt,
  squadF1,
} from '../../src/metrics/index.ts'
import fixture from '../fixtures/label_metrics.json' with { type: 'json' }
import { heedError } from '../support/heed-error.ts'

type Scores = Record<'micro' | 'macro' | 'weighted', number[]> & { classes: number[][] }

function expectScores(report: F1Report, scores: Scores): void {
  for (const average of ['micro', 'macro', 'weighted'] as const) {
    const { precision, recall, f1 } = report[average]
    for (const [i, value] of [precision, recall, f1].entries())
      expect(value, average).toBeCloseTo(scores[average][i], 12)
  }
  const classes = Object.values(report.perClass)
  const listed = classes.map(({ precision, recall, f1, support }) => [
    precision,
    recall,
    f1,
    support,
  ])
  expect(listed).toHaveLength(scores.classes.length)
  listed.forEach((one, i) => {
    for (const [j, value] of one.entries()) expect(value).toBeCloseTo(scores.classes[i][j], 12)
  })
}

describe('classes', () => {
  const { true: expected, pred, labels, counts, ...scores } = fixture.labels

  it('counts and scores as scikit-learn', () => {
    const confusion = confusionMatrix(expected, pred, labels)
    expect(confusion).toEqual({ labels, counts })
    expectScores(f1FromConfusion(confusion), scores)
    expect(accuracy(expected, pred)).toBe(f1FromConfusion(confusion).micro.f1)
  })

  it('scores sets of labels', () => {
    const sets = (list: string[]) => list.map((one) => [one])
    expectScores(f1FromSets(sets(expected), sets(pred), labels), scores)
    const { micro, perClass } = f1FromSets([['a', 'b'], []], [['a'], ['b']])
    expect(micro).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5, support: 2 })
    expect(perClass.a.f1).toBe(1)
    expect(perClass.b.f1).toBe(0)
  })

  it('refuses what does not fit', () => {
    expect(() => confusionMatrix(['a'], ['b'], ['a'])).toThrow(
      heedError('unknown-name', { key: 'labels', value: 'b' }),
    )
    expect(() => accuracy(['a'], [])).toThrow(
      heedError('invalid-option', { key: 'predicted', value: 0, mentions: ['`expected`', '(1)'] }),
    )
  })
})

describe('entities', () => {
  it.each(fixture.entities.map((one, i) => [i, one] as const))('scores %i as seqeval', (_, one) => {
    expectScores(entityF1(one.true, one.pred), one as Scores)
  })

  it('finds stretches', () => {
    expect(entitiesOf(['I-A', 'B-A', 'I-A', 'I-B', 'O', 'S-C', 'E-C'])).toEqual([
      { type: 'A', start: 0, end: 1 },
      { type: 'A', start: 1, end: 3 },
      { type: 'B', start: 3, end: 4 },
      { type: 'C', start: 5, end: 6 },
      { type: 'C', start: 6, end: 7 },
    ])
  })
})

it.each(fixture.answers)(
  'scores $predicted for $answers as SQuAD',
  ({ answers, predicted, ...scores }) => {
    expect(exactMatch(answers, predicted)).toBe(scores.exact)
    expect(squadF1(answers, predicted)).toBeCloseTo(scores.f1, 6)
  },
)

it('ranks', () => {
  const ranks = [rankOf([0.1, 0.9, 0.5], 1), rankOf([0.1, 0.9, 0.5], 0), Number.POSITIVE_INFINITY]
  expect(ranks.slice(0, 2)).toEqual([1, 3])
  expect(meanReciprocalRank(ranks)).toBeCloseTo(4 / 9, 12)
  expect(recallAt(1, ranks)).toBeCloseTo(1 / 3, 12)
})
