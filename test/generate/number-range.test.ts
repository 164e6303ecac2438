import fc from 'fast-check'
import { expect, it } from 'vitest'
import { integerPattern, numberPattern } from '../../src/generate/constrained/number-range.ts'

const whole = (pattern: string | null): RegExp => new RegExp(`^(?:${pattern ?? '$.'})$`)

it('whole numbers match when they are within bounds, and only then', () => {
  const bound = fc.oneof(
    fc.integer({ min: -1100, max: 1100 }),
    fc.constant(Number.POSITIVE_INFINITY),
  )
  fc.assert(
    fc.property(bound, bound, fc.boolean(), fc.boolean(), (a, b, exclusiveLeast, exclusiveMost) => {
      const [least, most] = [a === Number.POSITIVE_INFINITY ? -a : a, b]
      const pattern = whole(integerPattern({ least, most, exclusiveLeast, exclusiveMost }))
      const fits = (n: number): boolean =>
        (exclusiveLeast ? n > least : n >= least) && (exclusiveMost ? n < most : n <= most)
      for (let n = -1300; n <= 1300; n += 1) expect([n, pattern.test(`${n}`)]).toEqual([n, fits(n)])
      for (const text of ['-0', '01', '', '-', '1e3', '1.0']) expect(pattern.test(text)).toBe(false)
    }),
    { numRuns: 60 },
  )
})

it('so do decimal fractions', () => {
  const bound = fc.integer({ min: -12, max: 12 })
  fc.assert(
    fc.property(bound, bound, fc.boolean(), (least, most, exclusiveLeast) => {
      const pattern = whole(numberPattern({ least, most, exclusiveLeast }))
      for (let n = -1300; n <= 1300; n++) {
        const x = n / 100
        const fits = (exclusiveLeast ? x > least : x >= least) && x <= most
        expect([x, least, most, pattern.test(`${x}`)]).toEqual([x, least, most, fits])
      }
    }),
    { numRuns: 60 },
  )
})

it('a number has at most 15 digits, so that it ends', () => {
  const pattern = whole(integerPattern({ least: 7, most: Number.POSITIVE_INFINITY }))
  expect(pattern.test('999999999999999')).toBe(true)
  expect(pattern.test('1000000000000000')).toBe(false)
  expect(integerPattern({ least: 1e15, most: 1e16 })).toBeNull()
})
