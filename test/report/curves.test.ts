// metrics.jsonl as curves, and how charts draw them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Point, readMetricsLog, thinned } from '../../src/train/report/metrics-log.ts'
import { number, plot, smooth } from '../../src/train/report/report.js'
import { parse, textOf } from './parse.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-curves-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const logOf = (text: string) => {
  writeFileSync(join(folder, 'metrics.jsonl'), text)
  return readMetricsLog(folder)
}

describe('metrics.jsonl', () => {
  it('of another program: NaN and infinities are gaps, and other lines are counted', async () => {
    const { curves, lines, skipped } = await logOf(
      [
        '{"step": 1, "loss": 2.5, "note": "NaN, \\"Infinity\\"", "on": true}',
        '{"step": 2, "loss": NaN, "lr": -Infinity}\r',
        '',
        '{"step": 3, "loss": null, "lr": 1e999}',
        '[1, 2]',
        '{"loss": 1}',
        '{"step": "4", "loss": 1}',
        '{"step": -1, "loss": 1}',
        'null',
        '{"step": 5, "loss": 1.5, "deep": {"loss": 9}}',
        '{"step": 6, "lo',
      ].join('\n'),
    )
    expect([lines, skipped]).toEqual([10, 6])
    expect(curves.get('loss')).toEqual([[1, 2.5], [2, null], [3, null], [5, 1.5]]) // biome-ignore format: one line
    expect(curves.get('lr')).toEqual([[2, null], [3, null]]) // biome-ignore format: one line
    expect([...curves.keys()]).toEqual(['loss', 'lr'])
  })

  it('with keys of the prototype changes nothing', async () => {
    const { curves } = await logOf('{"step":1,"__proto__":3,"constructor":4,"toString":5}\n')
    expect(Object.fromEntries(curves)).toEqual(JSON.parse('{"__proto__":[[1,3]],"constructor":[[1,4]],"toString":[[1,5]]}')) // biome-ignore format: one line
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.prototype.toString.call([])).toBe('[object Array]')
  })

  it('with a huge line and many keys is read in little memory', async () => {
    const huge = `{"step":2,"x":"${'x'.repeat(5 << 20)}"}`
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]).concat([['step', 4]]))) // biome-ignore format: one line
    const log = await logOf(`{"step":1,"loss":1}\n${huge}\n{"step":3,"loss":3}\n${many}\n`)
    expect([log.lines, log.skipped, log.omitted]).toEqual([4, 1, 461])
    expect(log.curves.get('loss')).toEqual([[1, 1], [3, 3]]) // biome-ignore format: one line
    expect((await logOf(huge.slice(0, -2))).skipped).toBe(1)
  })

  it('that does not exist or is empty has no curves', async () => {
    expect((await logOf('')).curves.size).toBe(0)
    expect((await readMetricsLog(join(folder, 'none'))).lines).toBe(0)
  })

  it('is sorted by step', async () => {
    const { curves } = await logOf('{"step":3,"loss":3}\n{"step":1,"loss":1}\n')
    expect(curves.get('loss')).toEqual([[1, 1], [3, 3]]) // biome-ignore format: one line
  })
})

describe('a long curve', () => {
  const curve = Array.from({ length: 100_000 }, (_, i): Point => [i + 1, Math.sin(i / 50)])
  curve[41_234] = [41_235, 80]
  curve[73_111] = [73_112, -90]
  curve[55_555] = [55_556, null]

  it('is thinned with its extremes, its gaps and its ends', () => {
    const few = thinned(curve, 1000)
    expect(few.length).toBeLessThanOrEqual(1000)
    expect(few.length).toBeGreaterThan(600)
    for (const index of [0, 41_234, 73_111, 55_555, 99_999]) expect(few).toContain(curve[index])
    expect(few.every(([step], i) => i === 0 || step > few[i - 1][0])).toBe(true)
    expect(thinned(curve.slice(0, 1000), 1000)).toHaveLength(1000)
  })
})

/** The numbers in the path of a line. */
const coordinates = (svg: string, style = 'line color-0'): number[][] => {
  const [, d] = new RegExp(`<path class="${style}" d="([^"]*)"`).exec(svg) ?? []
  return [...(d ?? '').matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)].map(([, x, y]) => [Number(x), Number(y)]) // biome-ignore format: one line
}
const size = { width: 400, height: 200 }
const line = (...points: Point[]) => ({ name: 'a', color: 0, points })
/** The labels of the axes. */
const labels = (svg: string): string[] => parse(`>${svg}`).children.map((child) => textOf(child as never)) // biome-ignore format: one line

describe('a chart', () => {
  it('starts at step 0 and shows larger values higher', () => {
    const { svg } = plot([line([50, 2], [100, 4])], size)
    const [[x1, y1], [x2, y2]] = coordinates(svg)
    expect(x1).toBeCloseTo((52 + 386) / 2, 0)
    expect(x2).toBe(386)
    expect(y1).toBeGreaterThan(y2)
    expect(labels(svg)).toContain('0')
  })

  it('on a logarithmic axis has equal distances for equal factors, and omits zero', () => {
    const { svg } = plot([line([1, 1], [2, 10], [3, 100], [4, 0])], { ...size, log: true })
    const heights = coordinates(svg).map(([, y]) => y)
    expect(heights).toHaveLength(3)
    expect(heights[0] - heights[1]).toBeCloseTo(heights[1] - heights[2], 0)
    expect(plot([line([1, -1])], { ...size, log: true }).svg).not.toContain('NaN')
  })

  it('is interrupted by values that are not finite, which are marked', () => {
    const { svg } = plot([line([1, 1], [2, null], [3, 2], [4, 3])], size)
    expect(svg.match(/ d="M[^"]*M/)).not.toBeNull()
    expect(svg.match(/class="gap"/g)).toHaveLength(1)
    expect(coordinates(svg)).toHaveLength(3)
  })

  it.each<[string, Point[]]>([
    ['one point', [[7, 3]]],
    ['equal values', [[1, 3], [2, 3]]], // biome-ignore format: one line
    ['only zeros', [[1, 0], [2, 0]]], // biome-ignore format: one line
    ['only gaps', [[1, null], [2, null]]], // biome-ignore format: one line
    ['nothing', []],
    ['huge and tiny values', [[1, 1e300], [2, -1e300], [3, 1e-300]]], // biome-ignore format: one line
    ['step 0', [[0, 1]]],
  ])('of %s has finite coordinates', (_, points) => {
    for (const options of [{}, { log: true }, { zero: true }, { smoothing: 0.9 }]) {
      const { svg } = plot([line(...points)], { ...size, ...options })
      expect(svg).not.toMatch(/NaN|Infinity|undefined/)
      expect(svg.length).toBeLessThan(20_000)
    }
  })

  it('smooths without a bias towards 0', () => {
    expect(smooth([[1, 5], [2, 5], [3, 5]], 0.9).map(([, y]) => Number(y).toFixed(6))).toEqual(['5.000000', '5.000000', '5.000000']) // biome-ignore format: one line
    const [, [, second]] = smooth([[1, 0], [2, 1]], 0.5) // biome-ignore format: one line
    expect(second).toBeCloseTo(2 / 3, 6) // (0.5·0 + 1)·0.5 / 0.75
    const { svg } = plot([line([1, 0], [2, 8], [3, 0])], { ...size, smoothing: 0.9 })
    expect(svg.match(/class="line color-0( raw)?"/g)).toHaveLength(2)
  })

  it.each([
    [0, '0'],
    [0.001, '0.001'],
    [1234.56, '1,235'],
    [123456, '123,456'],
    [2.34567, '2.346'],
    [1e-7, '1e-7'],
    [1.5e12, '1.5e+12'], // biome-ignore format: one line
  ])('writes %d as %s', (value, text) => expect(number(value)).toBe(text))
})
