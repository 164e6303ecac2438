// Shows kernel times as a table: shares by kernel and module, and rates as a share of the machine's ceiling.
import type { KernelTime } from '../runtime/device.ts'
import { milliseconds } from './text.ts'

/** Maximum rates of the machine: floating-point operations and bytes per second. */
export interface Ceilings {
  flops: number
  read: number
  readWrite: number
}

export interface ProfileRow {
  kernel: string
  /** Module path; numbered blocks are counted together: `h.*.attn`. */
  scope: string
  micros: number
  calls: number
  /** Share of the total kernel time. */
  share: number
  /** The bound by arithmetic or memory; null if the cost of the kernel is unknown. */
  bound: Bound | null
}

export interface Bound {
  unit: 'GFLOP/s' | 'GB/s'
  rate: number
  /** Rate as a share of the ceiling; above 1 if data came from a cache. */
  ofCeiling: number
}

/** Groups kernels by name and module (over all blocks), sorted by time, longest first. */
export function profileRows(times: readonly KernelTime[], ceilings: Ceilings): ProfileRow[] {
  const groups = new Map<string, KernelTime[]>()
  for (const time of times) {
    const key = `${time.kernel} ${placeOf(time.scope)}`
    const group = groups.get(key)
    if (group) group.push(time)
    else groups.set(key, [time])
  }
  const all = sumOf(times)
  return [...groups.values()]
    .map((group) => {
      const [{ kernel, scope }] = group
      const micros = sumOf(group)
      return {
        kernel,
        scope: placeOf(scope),
        micros,
        calls: group.length,
        share: all > 0 ? micros / all : 0,
        bound: boundOf(group, micros, ceilings),
      }
    })
    .toSorted((a, b) => b.micros - a.micros)
}

/** Formats the times per step, for `steps` measured steps; rows after the first `most` are summed. */
export function profileTable(rows: readonly ProfileRow[], steps: number, most: number): string[] {
  const shown = rows.slice(0, most)
  const others = rows.slice(most)
  const lines = shown.map((row) =>
    line(row, steps, row.kernel, row.scope || '(no module)', row.bound ? showBound(row.bound) : ''),
  )
  if (others.length > 0) lines.push(line(summed(others), steps, `${others.length} others`, '', ''))
  lines.push(line(summed(rows), steps, 'all kernels', '', ''))
  return [
    ` share       time  calls  ${'kernel'.padEnd(21)} ${'module'.padEnd(40)} rate, share of the ceiling`,
    ...lines,
  ]
}

/** `h.11.attn (backward)` -> `h.*.attn (backward)`. */
const placeOf = (scope: string): string => scope.replace(/(?<=^|\.)\d+(?=\.|$| )/g, '*')

/** The roofline model: the closer of the ceilings of arithmetic and memory (Williams et al., 2009). */
export function boundOf(
  group: readonly KernelTime[],
  micros: number,
  ceilings: Ceilings,
): Bound | null {
  let [flops, read, written] = [0, 0, 0]
  for (const { cost } of group) {
    if (!cost) return null
    flops += cost.flops
    read += cost.read
    written += cost.written
  }
  const seconds = micros / 1e6
  const bytes = read + written
  if (seconds === 0 || flops + bytes === 0) return null
  const arithmetic = flops / seconds / ceilings.flops
  const memory = bytes / seconds / (written > read / 8 ? ceilings.readWrite : ceilings.read)
  return arithmetic >= memory
    ? { unit: 'GFLOP/s', rate: flops / seconds / 1e9, ofCeiling: arithmetic }
    : { unit: 'GB/s', rate: bytes / seconds / 1e9, ofCeiling: memory }
}

export const showBound = ({ unit, rate, ofCeiling }: Bound): string =>
  `${rate.toFixed(rate < 10 ? 1 : 0)} ${unit}, ${(100 * ofCeiling).toFixed(0)} %`

type Sum = Pick<ProfileRow, 'micros' | 'calls' | 'share'>

const summed = (rows: readonly ProfileRow[]): Sum => ({
  micros: rows.reduce((sum, row) => sum + row.micros, 0),
  calls: rows.reduce((sum, row) => sum + row.calls, 0),
  share: rows.reduce((sum, row) => sum + row.share, 0),
})

function line(sum: Sum, steps: number, kernel: string, scope: string, rate: string): string {
  const share = `${(100 * sum.share).toFixed(1)} %`.padStart(7)
  const time = milliseconds(sum.micros / 1e3 / steps).padStart(9)
  const calls = (sum.calls / steps).toFixed(0).padStart(6)
  return `${share} ${time} ${calls}  ${kernel.padEnd(21)} ${scope.padEnd(40)} ${rate}`.trimEnd()
}

const sumOf = (times: readonly KernelTime[]): number => times.reduce((sum, t) => sum + t.micros, 0)
