import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { comparisonOf } from '../../bench/against.ts'
import type { Case } from '../../bench/cases.ts'
import { Side } from '../../bench/side.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('calls a row slower when its whole interval lies below 0.98', () => {
  const there = [10, 10, 10, 10, 10]
  const slower = comparisonOf('row', 1, [11, 10.9, 11.2, 11.1, 10.8], there)
  expect(slower.ratio.high).toBeLessThan(0.98)
  expect(slower.slower).toBe(true)
  expect(comparisonOf('row', 1, [11, 9.5, 10.4, 11.1, 10], there).slower).toBe(false)
  expect(comparisonOf('row', 1, [10.1, 10.1, 10.1, 10.1, 10.1], there).slower).toBe(false)
})

it('runs the same work in the checkout that is named', async () => {
  const which: Case = {
    name: 'trace and compile',
    family: 'prepare',
    params: { layers: 1, heads: 2, dim: 16, context: 8, batch: 2, vocab: 65, compile: 1 },
    peers: [],
    atLeast: 1,
  }
  const side = await Side.start('heed', 1, root)
  expect(side?.version).toMatch(/^\d+\.\d+\.\d+ /)
  expect((await side?.turn(which, 1))?.ms).toBeGreaterThan(0)
  await side?.end()
  expect(await Side.start('heed', 1, '/nowhere')).toBeNull()
})
