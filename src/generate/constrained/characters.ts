// Sets of characters as ranges of code points, and their UTF-8 encoding.
import { byteRange, eitherOf, type Fragment, never, sequence } from './automaton.ts'

/** Inclusive ranges [low, high]; `union` returns them sorted and disjoint. */
export type Ranges = readonly (readonly [low: number, high: number])[]

const LAST = 0x10ffff

export function union(ranges: Ranges): Ranges {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  const out: [number, number][] = []
  for (const [low, high] of sorted) {
    const last = out.at(-1)
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else out.push([low, high])
  }
  return out
}

/** All characters that are not in the ranges. */
export function complement(ranges: Ranges): Ranges {
  const out: [number, number][] = []
  let next = 0
  for (const [low, high] of union(ranges)) {
    if (low > next) out.push([next, low - 1])
    next = high + 1
  }
  if (next <= LAST) out.push([next, LAST])
  return out
}

export const without = (ranges: Ranges, taken: Ranges): Ranges =>
  complement([...complement(ranges), ...taken])

export const includes = (ranges: Ranges, character: string): boolean => {
  const point = character.codePointAt(0) as number
  return ranges.some(([low, high]) => low <= point && point <= high)
}

/** Matches one character of the set, in UTF-8; surrogates are excluded. */
export function oneOf(ranges: Ranges): Fragment {
  const ways = without(ranges, [[0xd800, 0xdfff]]).flatMap(([low, high]) => utf8(low, high))
  return ways.length > 0 ? eitherOf(ways) : never
}

/** The last code points of 1, 2, 3 and 4 bytes. */
const LENGTHS = [0x7f, 0x7ff, 0xffff, LAST]

function utf8(low: number, high: number): Fragment[] {
  const limit = LENGTHS.find((last) => low <= last) as number
  if (high > limit) return [...utf8(low, limit), ...utf8(limit + 1, high)]
  return byteRuns(bytesOf(low), bytesOf(high))
}

/** All byte sequences from `low` to `high`, which have the same length, as sequences of byte ranges. */
function byteRuns(low: number[], high: number[]): Fragment[] {
  const [first, ...restLow] = low
  const [last, ...restHigh] = high
  if (low.length === 1) return [byteRange(first, last)]
  if (first === last) return joined(first, first, byteRuns(restLow, restHigh))
  const [bottom, top] = [restLow.map(() => 0x80), restLow.map(() => 0xbf)]
  const complete = (from: number, to: number): Fragment[] =>
    from > to ? [] : joined(from, to, byteRuns(bottom, top))
  const lowIsWhole = restLow.every((byte) => byte === 0x80)
  const highIsWhole = restHigh.every((byte) => byte === 0xbf)
  return [
    ...(lowIsWhole ? [] : joined(first, first, byteRuns(restLow, top))),
    ...complete(lowIsWhole ? first : first + 1, highIsWhole ? last : last - 1),
    ...(highIsWhole ? [] : joined(last, last, byteRuns(bottom, restHigh))),
  ]
}

const joined = (low: number, high: number, rests: Fragment[]): Fragment[] =>
  rests.map((rest) => sequence(byteRange(low, high), rest))

/** The UTF-8 bytes of a code point that is not a surrogate. */
function bytesOf(point: number): number[] {
  return [...new TextEncoder().encode(String.fromCodePoint(point))]
}
