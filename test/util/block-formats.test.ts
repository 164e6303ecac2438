import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { blockBytes, blockLayouts, dequantizeBlocks } from '../../src/util/block-formats.ts'
import { quantizeBlocks, quantizeFormats } from '../../src/util/quantize-blocks.ts'
import { heedError } from '../support/heed-error.ts'

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/blocks.json', import.meta.url), 'utf8'),
) as Record<keyof typeof blockLayouts, { source?: string; bytes: string; values: string }>

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const floatsOf = (hex: string): Float32Array => new Float32Array(bytesOf(hex).buffer)

describe.each(Object.keys(blockLayouts) as (keyof typeof blockLayouts)[])('%s', (format) => {
  const { numbers, bytes } = blockLayouts[format]

  it('holds the numbers that ggml reads from it, bit for bit', () => {
    const values = dequantizeBlocks(format, bytesOf(fixture[format].bytes))
    expect(values).toEqual(floatsOf(fixture[format].values))
  })

  it('is whole blocks', () => {
    expect(blockBytes(format, 3 * numbers)).toBe(3 * bytes)
    expect(() => blockBytes(format, numbers + 1)).toThrow(
      heedError('shape', { mentions: [`${numbers}`, `got ${numbers + 1}`] }),
    )
    expect(() => dequantizeBlocks(format, new Uint8Array(bytes - 1))).toThrow(
      heedError('shape', { mentions: [`${bytes}`, `got ${bytes - 1}`] }),
    )
    expect(() =>
      dequantizeBlocks(format, new Uint8Array(bytes), new Float32Array(numbers + 1)),
    ).toThrow(heedError('shape', { mentions: `${numbers} elements` }))
  })
})

describe.each(quantizeFormats)('to %s', (format) => {
  it('gives the bytes that ggml gives', () => {
    const source = floatsOf(fixture[format].source as string)
    expect(quantizeBlocks(format, source)).toEqual(bytesOf(fixture[format].bytes))
  })

  it('is within half a step, also of the scale as f16', () => {
    const x = Float32Array.from({ length: 320 }, (_, i) => Math.sin(i * i) * (1 + (i >> 5)))
    const back = dequantizeBlocks(format, quantizeBlocks(format, x))
    const steps = { q8_0: 127, q4_0: 8, q4_1: 7.5 }[format]
    // q4_0 has eight steps on one side and seven on the other: the last may be a whole one off.
    const worst = (format === 'q4_0' ? 1 : 0.5) / steps + 2 ** -10
    back.forEach((value, i) => {
      expect(Math.abs(value - x[i])).toBeLessThanOrEqual((1 + (i >> 5)) * worst)
    })
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s, saying where', (value) => {
    const x = new Float32Array(64)
    x[40] = value
    expect(() => quantizeBlocks(format, x)).toThrow(
      heedError('invalid-data', { mentions: `got ${value} at 40` }),
    )
  })

  it('refuses scales that f16 cannot hold', () => {
    const x = new Float32Array(32).fill(-1e30)
    expect(() => quantizeBlocks(format, x)).toThrow(
      heedError('invalid-data', { mentions: 'scale' }),
    )
  })
})
