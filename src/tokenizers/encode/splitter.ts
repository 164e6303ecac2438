import type { AlignedText } from './aligned-text.ts'
import { matchesOf } from './matches.ts'
import type { PreTokenizer } from './steps.ts'

/** Treatment of the matches of a pattern, with the names of `tokenizer.json` in lower case. */
export const BEHAVIORS = [
  'removed',
  'isolated',
  'mergedwithprevious',
  'mergedwithnext',
  'contiguous',
] as const

type Behavior = (typeof BEHAVIORS)[number]

/** Splits text at the matches of a pattern, or with `invert`, at the text between matches. */
export function splitter(pattern: RegExp, behavior: Behavior, invert = false): PreTokenizer {
  if (behavior === 'isolated') return (text) => isolate(text, pattern)
  if (behavior === 'removed') return (text) => pick(text, segments(text.text, pattern), invert)
  return (text) => slices(text, join(segments(text.text, pattern), behavior, invert))
}

interface Segment {
  from: number
  to: number
  match: boolean
}

/** Fast path: most patterns match the whole text, word by word. */
function isolate(text: AlignedText, pattern: RegExp): AlignedText[] {
  const words = text.text.match(pattern) ?? []
  if (words.reduce((length, word) => length + word.length, 0) !== text.text.length) {
    return slices(text, segments(text.text, pattern))
  }
  const out: AlignedText[] = []
  let at = 0
  for (const word of words) {
    if (word.length > 0) out.push(text.slice(at, at + word.length, word))
    at += word.length
  }
  return out
}

function pick(text: AlignedText, all: Segment[], match: boolean): AlignedText[] {
  return slices(
    text,
    all.filter((segment) => segment.match === match),
  )
}

function slices(text: AlignedText, all: readonly Segment[]): AlignedText[] {
  return all.filter(({ from, to }) => to > from).map(({ from, to }) => text.slice(from, to))
}

function segments(text: string, pattern: RegExp): Segment[] {
  const out: Segment[] = []
  let at = 0
  for (const { index, end } of matchesOf(text, pattern)) {
    if (index > at) out.push({ from: at, to: index, match: false })
    out.push({ from: index, to: end, match: true })
    at = end
  }
  if (at < text.length) out.push({ from: at, to: text.length, match: false })
  return out
}

function join(all: Segment[], behavior: Behavior, invert: boolean): Segment[] {
  const backwards = behavior === 'mergedwithnext'
  const out: Segment[] = []
  let previous = false
  for (const segment of backwards ? all.reverse() : all) {
    const match = segment.match !== invert
    const last = out.at(-1)
    const joins = behavior === 'contiguous' ? match === previous : match && !previous
    if (!last || !joins) out.push({ ...segment })
    else if (backwards) last.from = segment.from
    else last.to = segment.to
    previous = match
  }
  return backwards ? out.reverse() : out
}
