// What "close" means where computed numbers are compared.
import { expect } from 'vitest'
import type { Tensor } from '../../src/index.ts'

type Values = Tensor | ArrayLike<number>

/** max |got - want| <= tolerance * max |want|: for results that another program computed in the same precision. */
export async function expectClose(
  got: Values | null | undefined,
  want: Values,
  tolerance = 1e-5,
): Promise<void> {
  const { difference, largest } = await compare(got, want)
  expect(difference, 'largest difference').toBeLessThanOrEqual(tolerance * largest)
}

/** max |got - want| <= tolerance: for numbers whose size is known. */
export async function expectWithin(
  got: Values | null | undefined,
  want: Values,
  tolerance = 5e-6,
): Promise<void> {
  const { difference } = await compare(got, want)
  expect(difference, 'largest difference').toBeLessThanOrEqual(tolerance)
}

/** Objects and lists of the same form, with numbers that differ by less than 5e-5 and all else equal. */
export function expectCloseResult(got: unknown, want: unknown, path = 'result'): void {
  if (typeof want === 'number') expect(got, path).toBeCloseTo(want, 4)
  else if (want === null || typeof want !== 'object') expect(got, path).toBe(want)
  else {
    expect(Object.keys(got as object).sort(), path).toEqual(Object.keys(want).sort())
    for (const [key, value] of Object.entries(want))
      expectCloseResult((got as Record<string, unknown>)[key], value, `${path}.${key}`)
  }
}

/** NaN where an element is, which no tolerance allows. */
async function compare(
  got: Values | null | undefined,
  want: Values,
): Promise<{ difference: number; largest: number }> {
  if (isTensor(got) && isTensor(want)) return compareTensors(got, want)
  const [a, b] = [await numbersOf(got ?? []), await numbersOf(want)]
  expect(a.length, 'number of elements').toBe(b.length)
  let [difference, largest] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    difference = Math.max(difference, Math.abs(a[i] - b[i]))
    largest = Math.max(largest, Math.abs(b[i]))
  }
  return { difference, largest }
}

async function compareTensors(got: Tensor, want: Tensor) {
  expect(got.shape).toEqual(want.shape)
  if (want.size === 0) return { difference: 0, largest: 0 }
  const largestOf = (x: Tensor): Promise<number> => x.abs().amax().item()
  return { difference: await largestOf(got.sub(want)), largest: await largestOf(want) }
}

const isTensor = (values: Values | null | undefined): values is Tensor =>
  values != null && 'shape' in values

const numbersOf = async (values: Values): Promise<ArrayLike<number>> =>
  isTensor(values) ? values.data() : values
