import { describe, expect, it } from 'vitest'
import { boundOf, profileRows, profileTable } from '../../src/cli/profile-table.ts'
import type { KernelTime } from '../../src/index.ts'

const ceilings = { flops: 100e9, read: 10e9, readWrite: 20e9 }
const time = (kernel: string, scope: string, micros: number, cost: KernelTime['cost'] = null) =>
  ({ run: 0, kernel, scope, micros, cost }) satisfies KernelTime

describe('the table of a profile', () => {
  const rows = profileRows(
    [
      time('matmul', 'h.0.attn', 10),
      time('matmul', 'h.11.attn', 20),
      time('softmax', 'h.0.attn', 5),
      time('matmul', 'h.0.attn (backward)', 60),
      time('adamw', '', 5),
    ],
    ceilings,
  )

  it('adds up the blocks of a model, longest first', () => {
    expect(rows.map(({ kernel, scope, micros, calls }) => [kernel, scope, micros, calls])).toEqual([
      ['matmul', 'h.*.attn (backward)', 60, 1],
      ['matmul', 'h.*.attn', 30, 2],
      ['softmax', 'h.*.attn', 5, 1],
      ['adamw', '', 5, 1],
    ])
    expect(rows.map(({ share }) => share)).toEqual([0.6, 0.3, 0.05, 0.05])
  })

  it('keeps numbers that are part of a name', () => {
    expect(profileRows([time('layerNorm', 'h.3.ln_1', 1)], ceilings)[0].scope).toBe('h.*.ln_1')
  })

  it('shows a step, the rest together, and the sum', () => {
    const lines = profileTable(rows, 2, 2)
    expect(lines).toHaveLength(1 + 2 + 1 + 1)
    expect(lines[1]).toMatch(/60\.0 % +30\.0 µs +1 +matmul +h\.\*\.attn \(backward\)/)
    expect(lines[3]).toMatch(/10\.0 % +5\.0 µs +1 +2 others/)
    expect(lines[4]).toMatch(/100\.0 % +50\.0 µs +3 +all kernels/)
  })
})

describe('what bounds a kernel', () => {
  it('is arithmetic where that takes longer than the bytes would', () => {
    const cost = { flops: 50_000, read: 100, written: 100 }
    expect(boundOf([time('matmul', '', 1, cost)], 1, ceilings)).toEqual({
      unit: 'GFLOP/s',
      rate: 50,
      ofCeiling: 0.5,
    })
  })

  it('is memory otherwise: reading, or reading and writing', () => {
    const read = { flops: 2_000, read: 8_000, written: 40 }
    const bound = boundOf([time('matmul', '', 1, read)], 1, ceilings)
    expect(bound?.unit).toBe('GB/s')
    expect(bound?.ofCeiling).toBeCloseTo(0.804)
    const both = { flops: 0, read: 4_000, written: 4_000 }
    expect(boundOf([time('copy', '', 1, both)], 1, ceilings)?.ofCeiling).toBeCloseTo(0.4)
  })

  it('is unknown where the work is, or where there is none', () => {
    const known = time('attention', '', 1, { flops: 1, read: 1, written: 1 })
    expect(boundOf([known, time('attention', '', 1)], 2, ceilings)).toBeNull()
    expect(
      boundOf([time('copy', '', 1, { flops: 0, read: 0, written: 0 })], 1, ceilings),
    ).toBeNull()
  })
})
