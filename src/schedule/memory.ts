// The memory plan: offsets of the arena buffers. Buffers that are alive at the same time must not overlap.
// Placing the largest first, each in the lowest gap that fits, comes close to the minimum.
import { bytesOf } from '../graph/dtype.ts'
import type { Call } from './kernel-call.ts'
import type { Buffer } from './schedule.ts'

interface Lifetime {
  buffer: Buffer
  bytes: number
  first: number
  last: number
}

/** Assigns offsets. Returns the size of the arena and the peak of bytes in use. */
export function planMemory(
  calls: readonly Call[],
  alignment: number,
): { arenaBytes: number; peakBytes: number } {
  const lifetimes = lifetimesOf(calls, alignment)
  const placed: Lifetime[] = []
  let arenaBytes = 0
  for (const next of [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    next.buffer.offset = lowestGap(next, placed)
    arenaBytes = Math.max(arenaBytes, next.buffer.offset + next.bytes)
    insert(placed, next)
  }
  return { arenaBytes, peakBytes: peakOf(lifetimes, calls.length) }
}

function lifetimesOf(calls: readonly Call[], alignment: number): Lifetime[] {
  const found = new Map<Buffer, Lifetime>()
  calls.forEach((call, index) => {
    for (const { buffer } of call.operands) {
      if (buffer.kind !== 'arena') continue
      const known = found.get(buffer)
      if (known) {
        known.last = index
        continue
      }
      const bytes = Math.ceil((buffer.count * bytesOf(buffer.dtype)) / alignment) * alignment
      found.set(buffer, { buffer, bytes, first: index, last: index })
    }
  })
  return [...found.values()]
}

/** `placed` is sorted by offset. */
function lowestGap(next: Lifetime, placed: readonly Lifetime[]): number {
  let at = 0
  for (const other of placed) {
    if (other.last < next.first || other.first > next.last) continue
    if (other.buffer.offset >= at + next.bytes) break
    at = Math.max(at, other.buffer.offset + other.bytes)
  }
  return at
}

function insert(placed: Lifetime[], next: Lifetime): void {
  let low = 0
  let high = placed.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (placed[middle].buffer.offset < next.buffer.offset) low = middle + 1
    else high = middle
  }
  placed.splice(low, 0, next)
}

function peakOf(lifetimes: readonly Lifetime[], steps: number): number {
  const change = new Array<number>(steps + 1).fill(0)
  for (const { first, last, bytes } of lifetimes) {
    change[first] += bytes
    change[last + 1] -= bytes
  }
  let now = 0
  let peak = 0
  for (const bytes of change) {
    now += bytes
    peak = Math.max(peak, now)
  }
  return peak
}
