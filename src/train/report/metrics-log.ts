// metrics.jsonl of a run as curves. The file may be long, truncated, or written by other programs.
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { fileError } from '../../io/files/file-error.ts'
import { METRICS } from '../metrics-file.ts'

/** A step and the value there; null if the value is NaN or infinite. */
export type Point = readonly [step: number, value: number | null]

/** The curves of a run. */
export interface MetricsLog {
  /** Number of lines. */
  lines: number
  /** Number of lines that are not a JSON object with a step, such as the last line of a killed process. */
  skipped: number
  /** Keys of further curves, which are omitted. */
  omitted: number
  /** Values by key, in the order of the steps. */
  curves: ReadonlyMap<string, readonly Point[]>
}

/** Maximum number of characters of a line, and of curves. Heed's own lines have about 100 characters. */
const LONGEST = 1 << 16
const MOST_CURVES = 40

/** Reads metrics.jsonl; a run without it has no curves. */
export async function readMetricsLog(dir: string): Promise<MetricsLog> {
  const curves = new Map<string, Point[]>()
  const omitted = new Set<string>()
  let [lines, skipped] = [0, 0]
  for await (const line of linesOf(join(dir, METRICS))) {
    if (line?.trim() === '') continue
    lines++
    const values = line === null ? undefined : valuesOf(line)
    if (!values) skipped++
    for (const [key, point] of values ?? []) {
      const curve = curves.get(key)
      if (curve) curve.push(point)
      else if (curves.size < MOST_CURVES) curves.set(key, [point])
      else omitted.add(key)
    }
  }
  for (const curve of curves.values()) sortBySteps(curve)
  return { lines, skipped, omitted: omitted.size, curves }
}

/** The lines of a file; null for a line that is too long. */
async function* linesOf(path: string): AsyncGenerator<string | null> {
  let rest = ''
  let isTooLong = false
  try {
    for await (const text of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
      const pieces = (rest + text).split('\n')
      rest = pieces.pop() ?? ''
      for (const line of pieces) {
        yield isTooLong || line.length > LONGEST ? null : line
        isTooLong = false
      }
      if (rest.length > LONGEST) {
        isTooLong = true
        rest = ''
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw fileError(error, 'read', path)
  }
  if (isTooLong) yield null
  else if (rest !== '') yield rest
}

/** The values of a line by key; undefined for a line without a step. */
function valuesOf(line: string): [string, Point][] | undefined {
  const object = parsed(line)
  const step = object?.step
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return undefined
  return Object.entries(object as object).flatMap(([key, value]): [string, Point][] => {
    if (key === 'step' || (value !== null && typeof value !== 'number')) return []
    return [[key, [step, Number.isFinite(value) ? value : null]]] // JSON.stringify writes NaN as null
  })
}

/** Parses an object. NaN and Infinity, which Python writes, are null. */
function parsed(line: string): Record<string, unknown> | undefined {
  for (const text of [line, line.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (word) => word.startsWith('"') ? word : 'null')]) // biome-ignore format: one line
    try {
      const value = JSON.parse(text)
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined // biome-ignore format: one line
    } catch {}
  return undefined
}

function sortBySteps(curve: Point[]): void {
  if (curve.some(([step], i) => i > 0 && step < curve[i - 1][0])) curve.sort(([a], [b]) => a - b)
}

/**
 * At most `most` points of a curve: of each stretch, the smallest and the largest value, and one that is not finite. The
 * first and the last point are kept.
 */
export function thinned(curve: readonly Point[], most: number): readonly Point[] {
  if (curve.length <= most) return curve
  const stretches = Math.max(1, Math.floor((most - 2) / 3))
  const kept = new Set([0, curve.length - 1])
  for (let i = 0; i < stretches; i++) {
    const from = Math.floor((i * curve.length) / stretches)
    const to = Math.floor(((i + 1) * curve.length) / stretches)
    for (const index of extremes(curve, from, to)) kept.add(index)
  }
  return [...kept].sort((a, b) => a - b).map((index) => curve[index])
}

function extremes(curve: readonly Point[], from: number, to: number): number[] {
  let [low, high, gap] = [-1, -1, -1]
  for (let i = from; i < to; i++) {
    const [, value] = curve[i]
    if (value === null) gap = i
    else {
      if (low < 0 || value < Number(curve[low][1])) low = i
      if (high < 0 || value > Number(curve[high][1])) high = i
    }
  }
  return [low, high, gap].filter((index) => index >= 0)
}
