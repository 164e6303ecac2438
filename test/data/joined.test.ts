import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JoinedExamples } from '../../src/data/index.ts'
import { HeedError } from '../../src/util/errors.ts'

it('examples of tokens are read as one row', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(99), { minLength: 1 })),
      fc.nat(),
      fc.nat(),
      (all, a, b) => {
        const whole = all.flat()
        const joined = new JoinedExamples(all)
        expect(joined.length).toBe(whole.length)
        const start = a % (whole.length + 1)
        const count = b % (whole.length - start + 1)
        const out = new Int32Array(count + 2)
        joined.read(start, count, out, 1)
        expect([...out]).toEqual([0, ...whole.slice(start, start + count), 0])
      },
    ),
  )
})

it('a file that says other lengths than it has is refused', () => {
  const joined = new JoinedExamples({ length: 1, at: () => [1], lengths: [3] })
  expect(() => joined.read(0, 3, new Int32Array(3), 0)).toThrow(HeedError)
})
