// Formats times as rows of a table: medians, the ratio to the best peer with its interval, and whether the target is reached.
import { existsSync, readFileSync } from 'node:fs'
import type { Case } from './cases.ts'
import type { Machine } from './machine.ts'
import { bootstrap, geometricMean, type Interval, median } from './statistics.ts'

/** The times of one side in each round. */
export interface Timed {
  name: string
  version: string
  ms: number[]
  peakBytes: number
}

export interface Result {
  name: string
  threads: number
  date: string
  target: number
  /** Heed's side first. */
  timed: Timed[]
  /** Number of rounds dropped because the machine was busy. */
  dropped: number
  /** Heed's speed divided by the speed of the best peer; null without a peer. */
  ratio: (Interval & { median: number; peer: string }) | null
  /** Heed's peak memory as a share of the peer's, if there is a target for it. */
  memory: { share: number; atMost: number } | null
  gflops: number | null
  group: string | null
}

export interface Report {
  machine: Machine
  results: Result[]
}

export function resultOf(which: Case, threads: number, timed: Timed[], dropped: number): Result {
  const [ours, ...others] = timed
  const judged = others.filter(({ name }) => (which.peers as string[]).includes(name))
  const best = judged.toSorted((a, b) => median(a.ms) - median(b.ms)).at(0)
  const ratios = best ? ratiosTo(best, ours) : []
  const share = best && best.peakBytes > 0 ? ours.peakBytes / best.peakBytes : null
  return {
    name: which.name,
    threads,
    date: new Date().toISOString().slice(0, 10),
    target: which.atLeast,
    timed,
    dropped,
    ratio: best ? { median: median(ratios), ...bootstrap(ratios), peer: best.name } : null,
    memory: which.memoryAtMost && share ? { share, atMost: which.memoryAtMost } : null,
    gflops: which.flops ? which.flops / median(ours.ms) / 1e6 : null,
    group: which.group?.name ?? null,
  }
}

/** Earlier results, updated with newer rows. */
export function mergeReport(before: Report | null, { machine, results }: Report): Report {
  const same = (a: Result, b: Result): boolean => a.name === b.name && a.threads === b.threads
  const kept = before?.results.filter((old) => !results.some((mine) => same(old, mine))) ?? []
  return { machine, results: [...kept, ...results] }
}

export function readReport(path: string): Report | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : null
}

export const headings: readonly string[] = [
  'case',
  'threads',
  'Heed',
  'GFLOP/s',
  'peer',
  'ratio',
  '95 %',
  'target',
  'peak MB',
  '',
]

export function cellsOf(result: Result): string[] {
  const { ratio, timed, gflops } = result
  const best = timed.find(({ name }) => name === ratio?.peer)
  return [
    result.name,
    String(result.threads),
    showMs(median(timed[0].ms)),
    gflops ? gflops.toFixed(0) : '',
    best ? `${best.name} ${showMs(median(best.ms))}` : 'no peer',
    ratio ? ratio.median.toFixed(2) : '',
    ratio ? `${ratio.low.toFixed(2)} – ${ratio.high.toFixed(2)}` : '',
    result.target.toFixed(2),
    megabytes(timed[0], best),
    remarks(result),
  ]
}

/** The cells of a line, each padded to its width. */
export function columns(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, i) => cell.padEnd(widths[i]))
    .join(' ')
    .trimEnd()
}

/** Peers that are reported and not judged. */
export function apartLines({ timed }: Result, { peers }: Case): string[] {
  const [ours, ...others] = timed
  return others
    .filter(({ name }) => !(peers as string[]).includes(name))
    .map((peer) => {
      const ratio = median(ratiosTo(peer, ours)).toFixed(2)
      return `  apart: ${peer.name} ${showMs(median(peer.ms))}, ratio ${ratio}`
    })
}

/** The geometric mean and the worst row of each group. */
export function groupLines(results: readonly Result[], cases: readonly Case[]): string[] {
  const groups = new Map(cases.flatMap(({ group }) => (group ? [[group.name, group]] : [])))
  return [...groups.values()].flatMap(({ name, atLeast, floor }) =>
    [1, 2].flatMap((threads) => {
      const mine = results.filter((r) => r.group === name && r.threads === threads && r.ratio)
      if (mine.length === 0) return []
      const [worst] = mine.toSorted((a, b) => ratioOf(a) - ratioOf(b))
      const of = cases.filter(({ group }) => group?.name === name).length
      return `${name}, ${threads} thread${threads > 1 ? 's' : ''}: geometric mean ${geometricMean(mine.map(ratioOf)).toFixed(3)} (target ${atLeast}) of ${mine.length} of ${of} shapes, worst ${ratioOf(worst).toFixed(2)} for ${worst.name} (at least ${floor})`
    }),
  )
}

const ratioOf = ({ ratio }: Result): number => ratio?.median ?? Number.NaN

const ratiosTo = (peer: Timed, ours: Timed): number[] => peer.ms.map((ms, i) => ms / ours.ms[i])

function remarks({ ratio, target, memory, dropped }: Result): string {
  const memoryVerdict = memory && memory.share <= memory.atMost ? 'reached' : 'MISSED'
  return [
    verdict(ratio, target),
    memory && `memory ${memory.share.toFixed(2)} x, at most ${memory.atMost}: ${memoryVerdict}`,
    dropped > 0 && `${dropped} rounds dropped`,
  ]
    .filter(Boolean)
    .join(', ')
}

function verdict(ratio: Result['ratio'], target: number): string {
  if (!ratio) return 'not compared'
  if (ratio.low >= target) return 'reached'
  return ratio.high >= target ? 'within the noise' : 'MISSED'
}

function megabytes(ours: Timed, peer: Timed | undefined): string {
  return [ours, ...(peer ? [peer] : [])]
    .filter(({ peakBytes }) => peakBytes > 0)
    .map(({ peakBytes }) => (peakBytes / 1e6).toFixed(0))
    .join(' / ')
}

export function showMs(ms: number): string {
  return ms >= 1 ? `${ms.toFixed(ms >= 100 ? 0 : 2)} ms` : `${(ms * 1000).toFixed(1)} µs`
}
