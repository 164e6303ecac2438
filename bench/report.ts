// Times as rows of a table: medians, the ratio to the best peer with its interval, what was reached.
import type { Case } from './cases.ts'
import { bootstrap, geometricMean, type Interval, median } from './statistics.ts'

/** What one side took in each round. */
export interface Timed {
  name: string
  version: string
  ms: number[]
  peakBytes: number
}

export interface Result {
  name: string
  threads: number
  target: number
  timed: Timed[]
  /** Rounds thrown away because the machine was busy. */
  dropped: number
  /** How many times Heed's speed is the best peer's; null without a peer. */
  ratio: (Interval & { median: number; peer: string }) | null
  /** Heed's peak memory as a share of the peer's, where that has a target. */
  memory: { share: number; atMost: number } | null
  gflops: number | null
  group: string | null
}

export function resultOf(which: Case, threads: number, timed: Timed[], dropped: number): Result {
  const [ours, ...peers] = timed
  const best = peers.toSorted((a, b) => median(a.ms) - median(b.ms)).at(0)
  const ratios = best?.ms.map((ms, i) => ms / ours.ms[i]) ?? []
  const share = best && best.peakBytes > 0 ? ours.peakBytes / best.peakBytes : null
  return {
    name: which.name,
    threads,
    target: which.atLeast,
    timed,
    dropped,
    ratio: best ? { median: median(ratios), ...bootstrap(ratios), peer: best.name } : null,
    memory: which.memoryAtMost && share ? { share, atMost: which.memoryAtMost } : null,
    gflops: which.flops ? which.flops / median(ours.ms) / 1e6 : null,
    group: which.group?.name ?? null,
  }
}

const widths = [34, 3, 10, 9, 24, 8, 16, 7, 0]

export const headings: string = columns([
  'case',
  'T',
  'Heed',
  'GFLOP/s',
  'peer',
  'ratio',
  '95 %',
  'target',
  '',
])

export function rowOf(result: Result): string {
  const { ratio, memory, timed, gflops } = result
  const best = timed.find(({ name }) => name === ratio?.peer)
  return columns([
    result.name,
    String(result.threads),
    showMs(median(timed[0].ms)),
    gflops ? gflops.toFixed(0) : '',
    best ? `${best.name} ${showMs(median(best.ms))}` : 'no peer',
    ratio ? ratio.median.toFixed(2) : '',
    ratio ? `${ratio.low.toFixed(2)} – ${ratio.high.toFixed(2)}` : '',
    result.target.toFixed(2),
    [
      verdict(result),
      memory && `memory ${memory.share.toFixed(2)} x (at most ${memory.atMost})`,
      result.dropped > 0 && `${result.dropped} rounds dropped`,
    ]
      .filter(Boolean)
      .join(', '),
  ])
}

/** Rows that count together: their geometric mean, and the worst of them. */
export function groupLines(results: Result[], cases: Case[]): string[] {
  const groups = new Map(cases.flatMap(({ group }) => (group ? [[group.name, group]] : [])))
  const lines: string[] = []
  for (const { name, atLeast, floor } of groups.values())
    for (const threads of [1, 2]) {
      const mine = results.filter((r) => r.group === name && r.threads === threads && r.ratio)
      if (mine.length === 0) continue
      const ratios = mine.map((r) => r.ratio?.median ?? 0)
      const mean = geometricMean(ratios)
      const worst = mine.toSorted((a, b) => (a.ratio?.median ?? 0) - (b.ratio?.median ?? 0))[0]
      lines.push(
        `${name}, ${threads} thread${threads > 1 ? 's' : ''}: geometric mean ${mean.toFixed(3)} (target ${atLeast}), worst ${worst.ratio?.median.toFixed(2)} for ${worst.name} (at least ${floor}), ${mine.length} shapes`,
      )
    }
  return lines
}

function verdict({ ratio, target }: Result): string {
  if (!ratio) return 'not compared'
  if (ratio.low >= target) return 'reached'
  return ratio.high >= target ? 'within the noise' : 'MISSED'
}

function showMs(ms: number): string {
  return ms >= 1 ? `${ms.toFixed(ms >= 100 ? 0 : 2)} ms` : `${(ms * 1000).toFixed(1)} µs`
}

function columns(cells: string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(widths[i]))
    .join(' ')
    .trimEnd()
}
