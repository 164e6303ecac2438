import { describe, expect, it } from 'vitest'
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../src/util/float16.ts'

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i)

// Straight from the definitions, in double arithmetic, where every value is exact.
function f16Value(bits: number): number {
  return ieee(bits >> 15, (bits >> 10) & 31, bits & 1023, 15, 10, 31)
}

function bf16Value(bits: number): number {
  return ieee(bits >> 15, (bits >> 7) & 255, bits & 127, 127, 7, 255)
}

function ieee(s: number, e: number, m: number, bias: number, width: number, top: number): number {
  const sign = s ? -1 : 1
  if (e === top) return m ? Number.NaN : sign * Number.POSITIVE_INFINITY
  const fraction = m / 2 ** width
  return sign * (e ? 2 ** (e - bias) * (1 + fraction) : 2 ** (1 - bias) * fraction)
}

// Comparing whole arrays with expect() is slow.
function firstDifference(found: Uint16Array, expected: ArrayLike<number>): number {
  return found.findIndex((bits, i) => bits !== expected[i])
}

const formats = [
  { name: 'f16', decode: f16ToF32, encode: f32ToF16, value: f16Value, infinity: 0x7c00 },
  { name: 'bf16', decode: bf16ToF32, encode: f32ToBf16, value: bf16Value, infinity: 0x7f80 },
]

describe.each(formats)('$name', ({ decode, encode, value, infinity }) => {
  it('decodes all 65536 patterns to the values of the definition', () => {
    const wrong = [...decode(ALL)].findIndex((x, bits) => !Object.is(x, value(bits)))
    expect(wrong).toBe(-1)
  })

  it('gives every pattern back bit for bit, NaN payloads included', () => {
    expect(firstDifference(encode(decode(ALL)), ALL)).toBe(-1)
  })

  it('rounds to nearest, ties to even, between all neighbours', () => {
    const step = new Uint32Array(1)
    const float = new Float32Array(step.buffer)
    const nudge = (x: number, by: number) => {
      float[0] = x
      step[0] += by
      return float[0]
    }
    const largest = infinity - 1
    const inputs: number[] = []
    const expected: number[] = []
    for (let bits = 0; bits <= largest; bits++) {
      const here = value(bits)
      const above = bits < largest ? value(bits + 1) : here + (here - value(bits - 1))
      const middle = here / 2 + above / 2
      inputs.push(middle, nudge(middle, -1), nudge(middle, 1))
      expected.push(bits + (bits & 1), bits, bits + 1)
    }
    const positive = Float32Array.from(inputs)
    expect(firstDifference(encode(positive), expected)).toBe(-1)
    const negative = expected.map((bits) => bits | 0x8000)
    expect(firstDifference(encode(positive.map((x) => -x)), negative)).toBe(-1)
  })

  it('keeps every float32 NaN a NaN and overflows to infinity', () => {
    const nans = new Float32Array(
      new Uint32Array([0x7f800001, 0xff800001, 0x7fffffff, 0x7fc00000]).buffer,
    )
    expect(decode(encode(nans)).every(Number.isNaN)).toBe(true)
    const large = Float32Array.of(3.4028234663852886e38, Number.NEGATIVE_INFINITY)
    expect([...encode(large)]).toEqual([infinity, infinity | 0x8000])
    expect([...encode(Float32Array.of(1e-45, -1e-45, -0))]).toEqual([0, 0x8000, 0x8000])
  })

  it('works on views that begin anywhere', () => {
    const bits = ALL.subarray(0x3c01, 0x3c08)
    const out = new Float32Array(10).subarray(3)
    expect(decode(bits, out)).toBe(out)
    expect(encode(out)).toEqual(bits)
  })
})
