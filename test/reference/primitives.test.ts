import { describe, expect, it } from 'vitest'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { evaluate } from '../support/evaluate.ts'
import { samples } from './primitives.ts'

const devices = { float64: 1e-14, float32: 2e-7 }

describe.each(Object.entries(samples))('%s', (_, list) => {
  it.each([...list.entries()])('sample %i', async (_, [node, expected]) => {
    for (const [precision, tolerance] of Object.entries(devices)) {
      const device = new ReferenceDevice({ precision: precision as keyof typeof devices })
      const [found] = await evaluate([node], device)
      expect(found.length).toBe(expected.length)
      for (const [i, x] of found.entries())
        expect(isNear(x, expected[i], tolerance), `element ${i}: ${x}, not ${expected[i]}`).toBe(
          true,
        )
    }
  })
})

function isNear(x: number, y: number, tolerance: number): boolean {
  return Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y))
}
