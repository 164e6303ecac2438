import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Draws } from '../../src/train/draws.ts'
import { drawSpans, spanCounts, takeSpans } from '../../src/train/tasks/spans.ts'

interface Fixture {
  sentinels: number[]
  eos_token_id: number
  cases: Record<'ids' | 'kept' | 'taken' | 'input_ids' | 'labels', number[]>[]
  tables: { noise_density: number; mean_noise_span_length: number; lengths: number[][] }[]
}

const fixture: Fixture = JSON.parse(readFileSync('test/fixtures/span_corruption.json', 'utf8'))
const { sentinels, eos_token_id: end, cases, tables } = fixture

describe('spans of T5 (scripts/fixtures/span_corruption.py)', () => {
  it.each(tables)('$noise_density of the tokens in spans of $mean_noise_span_length', (table) => {
    const settings = {
      noiseShare: table.noise_density,
      spanLength: table.mean_noise_span_length,
    }
    const lengths = table.lengths.map(([length]) => {
      const { noise, spans } = spanCounts(length, settings)
      return [length, length - noise + spans + 1, noise + spans + 1]
    })
    expect(lengths).toEqual(table.lengths)
  })

  it('are replaced by descending sentinels, and written after them', () => {
    for (const { ids, kept, taken, input_ids: source, labels: target } of cases)
      expect(takeSpans(ids, { kept, taken }, { sentinels, end })).toEqual({ source, target })
  })

  it('are drawn with equal chances', () => {
    // 10 tokens, 4 of them taken in 2 spans: 1+3, 2+2, 3+1; 6 kept: 1+5 … 5+1
    const seen = new Map<string, number>()
    const rounds = 6000
    for (let step = 0; step < rounds; step++) {
      const draws = new Draws({ seed: 3, step }, 'spans')
      const { kept, taken } = drawSpans(10, { noiseShare: 0.4, spanLength: 2 }, draws)
      const key = `${kept} ${taken}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    expect(seen.size).toBe(15)
    const expected = rounds / 15
    for (const count of seen.values()) expect(Math.abs(count - expected)).toBeLessThan(expected / 5)
  })
})
