import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RandomWindows, SequentialWindows, TokenDataset } from '../../src/data/index.ts'
import { MemorySource } from '../../src/data/token-source.ts'
import { heedError } from '../support/heed-error.ts'

/** A data set whose ids are their own positions. */
function counting(length: number, documents: number[] = [0]): TokenDataset {
  const ids = Int32Array.from({ length }, (_, i) => i)
  return TokenDataset.fromSource(new MemorySource(ids), { vocabSize: length, documents })
}

const data = counting(1000)

describe('random windows', () => {
  const sampler = new RandomWindows(data, { batchSize: 8, contextLength: 16, seed: 3 })

  it('are a function of seed and step alone', () => {
    const again = new RandomWindows(data, { batchSize: 8, contextLength: 16, seed: 3 })
    for (let step = 0; step < 5; step++) sampler.batch(step)
    expect(again.batch(3)).toEqual(sampler.batch(3))
    expect(sampler.batch(4)).not.toEqual(sampler.batch(3))
    const other = new RandomWindows(data, { batchSize: 8, contextLength: 16, seed: 4 })
    expect(other.batch(3)).not.toEqual(sampler.batch(3))
  })

  // a change here breaks the resuming of every run that there is
  it('stay where they are from version to version', () => {
    const starts = (step: number) =>
      [...sampler.batch(step).inputs.data].filter((_, i) => i % 16 === 0)
    expect(starts(0)).toEqual(PINNED[0])
    expect(starts(1_000_000)).toEqual(PINNED[1])
  })

  it('have the next token as target', () => {
    const { inputs, targets } = sampler.batch(7)
    expect([inputs.shape, targets.shape, inputs.data.length]).toEqual([[8, 16], [8, 16], 128])
    expect([...targets.data]).toEqual([...inputs.data].map((id) => id + 1))
    for (let row = 0; row < 8; row++) {
      expect(inputs.data[row * 16 + 15]).toBe(inputs.data[row * 16] + 15)
    }
  })

  it('reach every place, evenly', () => {
    const small = counting(20)
    const windows = new RandomWindows(small, { batchSize: 100, contextLength: 15 })
    const seen = new Map<number, number>()
    for (let step = 0; step < 50; step++) {
      const inputs = windows.batch(step).inputs.data
      for (let row = 0; row < 100; row++) {
        seen.set(inputs[row * 15], (seen.get(inputs[row * 15]) ?? 0) + 1)
      }
    }
    expect([...seen.keys()].sort()).toEqual([0, 1, 2, 3, 4])
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('fit a text of one window', () => {
    const windows = new RandomWindows(counting(17), { batchSize: 2, contextLength: 16 })
    expect([...windows.batch(9).inputs.data.subarray(0, 2)]).toEqual([0, 1])
  })
})

describe('sequential windows', () => {
  const options = { batchSize: 4, contextLength: 10, seed: 1 }
  const sampler = new SequentialWindows(data, options)

  function epoch(windows: SequentialWindows, number: number): number[] {
    return Array.from({ length: windows.stepsPerEpoch }, (_, i) =>
      windows.batch(number * windows.stepsPerEpoch + i),
    ).flatMap(({ inputs }) => [...inputs.data])
  }

  it('show every window once an epoch, in another order each time', () => {
    const whole = new SequentialWindows(data, { ...options, dropLast: false })
    expect([whole.windows, whole.stepsPerEpoch, sampler.stepsPerEpoch]).toEqual([99, 25, 24])
    const ids = Array.from({ length: 990 }, (_, i) => i)
    expect(epoch(whole, 0).toSorted((a, b) => a - b)).toEqual(ids)
    expect(epoch(whole, 1).toSorted((a, b) => a - b)).toEqual(ids)
    expect(epoch(whole, 1)).not.toEqual(epoch(whole, 0))
    expect(new Set(epoch(sampler, 2)).size).toBe(960)
  })

  it('resume at any step', () => {
    const again = new SequentialWindows(data, options)
    expect(again.batch(31)).toEqual(sampler.batch(31))
  })

  it('go from start to end when not shuffled', () => {
    const plain = new SequentialWindows(data, { ...options, shuffle: false, dropLast: false })
    expect(epoch(plain, 0)).toEqual(Array.from({ length: 990 }, (_, i) => i))
    expect(plain.batch(24).inputs.shape).toEqual([3, 10])
    expect(plain.batch(24).targets.data.at(-1)).toBe(990)
  })

  it('say when there are too few for a batch', () => {
    const few = () => new SequentialWindows(counting(35), options)
    expect(few).toThrow(
      heedError('invalid-option', { key: 'batchSize', value: 4, mentions: ['10 tokens', '(3)'] }),
    )
  })
})

describe('sizes that do not fit', () => {
  it.each([RandomWindows, SequentialWindows])('%o', (Sampler) => {
    const make =
      (batchSize: number, contextLength: number, seed = 0) =>
      () =>
        new Sampler(data.split({ fraction: 0.9 }).train, { batchSize, contextLength, seed })
    expect(make(1, 100)).toThrow(
      heedError('invalid-option', { key: 'contextLength', value: 100, mentions: '(100)' }),
    )
    expect(make(0, 10)).toThrow(heedError('invalid-option', { key: 'batchSize', value: 0 }))
    expect(make(1, 1.5)).toThrow(heedError('invalid-option', { key: 'contextLength', value: 1.5 }))
    expect(make(1, 10, -1)).toThrow(heedError('invalid-option', { key: 'seed', value: -1 }))
    expect(
      () =>
        new Sampler(TokenDataset.fromIds([], { vocabSize: 1 }), { batchSize: 1, contextLength: 1 }),
    ).toThrow(heedError('invalid-option', { key: 'contextLength', value: 1, mentions: '(0)' }))
  })
})

describe('splits', () => {
  it('by the end', () => {
    const { train, validation } = data.split({ fraction: 0.25 })
    expect([train.length, validation.length]).toEqual([750, 250])
    expect([...train.read(748, 2), ...validation.read(0, 2)]).toEqual([748, 749, 750, 751])
    expect(validation.name).toBe('validation')
    expect(() => train.read(749, 2)).toThrow(
      heedError('invalid-option', { mentions: ['750 tokens', '749 to 751'] }),
    )
  })

  it('by documents, drawn by seed', () => {
    const documents = [0, 100, 150, 400, 410, 700, 900]
    const many = counting(1000, documents)
    const { train, validation } = many.split({ by: 'document', fraction: 0.3, seed: 5 })
    expect(validation.length).toBeGreaterThanOrEqual(300)
    expect(train.length + validation.length).toBe(1000)
    const ids = [...validation.read(0, validation.length)]
    expect(ids.filter((id) => documents.includes(id))).toEqual(
      validation.documents.map((at) => ids[at]),
    )
    expect([...train.read(0, train.length), ...ids].sort((a, b) => a - b)).toEqual([
      ...data.read(0, 1000),
    ])
    const again = many.split({ by: 'document', fraction: 0.3, seed: 5 })
    expect([...again.validation.read(0, validation.length)]).toEqual(ids)
    const seeds = Array.from({ length: 10 }, (_, seed) =>
      many.split({ by: 'document', fraction: 0.3, seed }).validation.documents.join(),
    )
    expect(new Set(seeds).size).toBeGreaterThan(3)
  })

  it('of splits stay in their part', () => {
    const documents = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), {
      minLength: 1,
      maxLength: 12,
    })
    const fraction = fc.double({ min: 0.01, max: 0.9, noNaN: true })
    fc.assert(
      fc.property(documents, fraction, fc.nat(1000), (starts, part, seed) => {
        const whole = counting(100, [0, ...starts.sort((a, b) => a - b)])
        const { train } = whole.split({ by: 'document', fraction: part, seed })
        const ids = [...train.read(0, train.length)]
        const { train: head, validation: tail } = train.split({ fraction: 0.5 })
        expect([...head.read(0, head.length), ...tail.read(0, tail.length)]).toEqual(ids)
        expect(head.documents[0] ?? 0).toBe(0)
      }),
    )
  })

  it('leave documents on both sides', () => {
    const two = counting(10, [0, 9])
    for (let seed = 0; seed < 4; seed++) {
      const { train, validation } = two.split({ by: 'document', fraction: 0.99, seed })
      expect([train.length, validation.length].sort()).toEqual([1, 9])
    }
    expect(() => data.split({ by: 'document' })).toThrow(
      heedError('invalid-data', { mentions: '2 documents' }),
    )
  })

  it('refuse what is no fraction, and can be empty', () => {
    for (const fraction of [-0.1, 1, Number.NaN]) {
      expect(() => data.split({ fraction })).toThrow(
        heedError('invalid-option', { key: 'fraction' }),
      )
    }
    expect(data.split({ fraction: 0, by: 'document' }).validation.length).toBe(0)
  })
})

const PINNED = [
  [181, 636, 290, 927, 808, 388, 807, 161],
  [223, 48, 247, 891, 211, 965, 198, 330],
]
