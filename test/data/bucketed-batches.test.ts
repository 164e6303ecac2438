import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { bucketLengths } from '../../src/data/bucket-lengths.ts'
import { type Batch, BucketedBatches, Prefetch } from '../../src/data/index.ts'
import { heedError } from '../support/heed-error.ts'

const paddedTo = (lengths: number[], chosen: number[]): number =>
  lengths.reduce((sum, length) => sum + Math.min(...chosen.filter((one) => one >= length)), 0)

describe('bucket lengths', () => {
  it('cover all lengths with the least padding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 4 }),
        (lengths, buckets) => {
          const chosen = bucketLengths(lengths, buckets, 1)
          expect(chosen.length).toBeLessThanOrEqual(buckets)
          expect(chosen.at(-1)).toBe(Math.max(...lengths))
          const least = Math.min(
            ...subsets([...new Set(lengths)], buckets, Math.max(...lengths)).map((set) =>
              paddedTo(lengths, set),
            ),
          )
          expect(paddedTo(lengths, chosen)).toBe(least)
        },
      ),
    )
  })

  it('are few and round, whatever the lengths', () => {
    const lengths = Array.from({ length: 20_000 }, (_, i) => 1 + ((i * 7919) % 10_007))
    const chosen = bucketLengths(lengths, 8)
    expect(chosen.length).toBe(8)
    expect(chosen.slice(0, -1).every((one) => one % 8 === 0)).toBe(true)
    expect(bucketLengths([], 8)).toEqual([])
  })
})

describe('bucketed batches', () => {
  const examples = Array.from({ length: 103 }, (_, i) => ({ id: i, length: 1 + ((i * 37) % 50) }))
  const make = (seed = 1, batchSize = 10) =>
    new BucketedBatches({
      examples,
      length: (one) => one.length,
      collate: (chosen, length, { step }) => ({
        ids: { data: Int32Array.from(chosen, ({ id }) => id), shape: [chosen.length] },
        length: { data: Int32Array.of(length, step), shape: [2] },
      }),
      batchSize,
      seed,
      buckets: 4,
    })
  const idsOf = async (batches: { batch(step: number): Batch | Promise<Batch> }, step: number) => [
    ...((await batches.batch(step)).ids.data as Int32Array),
  ]

  it('give every example once an epoch, but for less than a batch', async () => {
    const batches = make()
    expect(batches.stepsPerEpoch).toBe(10)
    const epochs = [0, 1].map((epoch) =>
      Promise.all(Array.from({ length: 10 }, (_, i) => idsOf(batches, epoch * 10 + i))),
    )
    const [first, second] = await Promise.all(epochs)
    expect(new Set(first.flat()).size).toBe(100)
    expect(new Set(second.flat()).size).toBe(100)
    expect(second).not.toEqual(first)
  })

  it('pad to few lengths, and never too little', async () => {
    const batches = make()
    const seen = new Set<number>()
    for (let step = 0; step < 30; step++) {
      const { ids, length } = await batches.batch(step)
      seen.add(length.data[0])
      for (const id of ids.data) expect(examples[id].length).toBeLessThanOrEqual(length.data[0])
      expect(length.data[1]).toBe(step)
    }
    expect(seen.size).toBeLessThanOrEqual(4)
  })

  it('depend on seed and step alone', async () => {
    const [one, other] = [make(), make()]
    for (const step of [25, 3, 99, 4]) await one.batch(step)
    expect(await idsOf(one, 17)).toEqual(await idsOf(other, 17))
    expect(await idsOf(make(2), 17)).not.toEqual(await idsOf(other, 17))
  })

  it('take fewer examples than a batch', async () => {
    expect((await idsOf(make(1, 1000), 0)).length).toBe(103)
    expect(() => make(1, 0)).toThrow(heedError('invalid-option', { key: 'batchSize', value: 0 }))
  })

  it('are the same when they are made ahead', async () => {
    const asked: number[] = []
    const inner = make()
    const ahead = new Prefetch({
      batch: (step) => {
        asked.push(step)
        return inner.batch(step)
      },
    })
    for (const step of [0, 1, 2, 3])
      expect(await idsOf(ahead, step)).toEqual(await idsOf(inner, step))
    await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 3, 4, 5]), 10_000)
    expect(await idsOf(ahead, 19)).toEqual(await idsOf(inner, 19))
    expect(ahead.waited).toBeGreaterThanOrEqual(0)
  })

  it('tell what went wrong when the batch is asked for', async () => {
    const ahead = new Prefetch({
      batch: (step) => (step === 1 ? Promise.reject(new Error('broken')) : {}),
    })
    await ahead.batch(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await expect(ahead.batch(1)).rejects.toThrow('broken')
  })
})

/** All sets of at most `size` of the values that hold `always`. */
function subsets(values: number[], size: number, always: number): number[][] {
  return values
    .reduce<number[][]>((sets, value) => sets.concat(sets.map((set) => set.concat(value))), [[]])
    .filter((set) => set.length <= size && set.includes(always))
}
