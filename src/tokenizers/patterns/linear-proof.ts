import type { PatternNode } from './syntax.ts'

/**
 * Whether the backtracking matcher of JavaScript provably finds all matches in linear time. False means that no proof
 * was found. A repetition costs more than it matches only if something after it can fail:
 *
 * - If nothing after a repetition can fail, it consumes everything that it reads.
 * - Otherwise, a repetition may read a run of characters without a match. If it is the first repetition of its
 *   alternative and the rest fails immediately, this is linear as long as a later alternative matches the same run:
 *   `\s*[\r\n]+` before `\s+`. Alternatives between them must be of the same kind: each succeeds at most once per run,
 *   at the last possible position.
 */
export function isLinear(pattern: PatternNode): boolean {
  const ways = (pattern.kind === 'choice' ? pattern.ways : [pattern]).map(itemsOf)
  return ways.every((items, i) => {
    if (pathsOf(items) > MOST_PATHS) return false
    const at = items.findIndex(isLoop)
    if (at < 0 || items.slice(at + 1).every((item) => !canFail(item))) return items.every(isCheap)
    const later = ways.slice(i + 1, i + 1 + MOST_LATER)
    const end = later.findIndex((way) => consumesRun(way, items))
    return readsRun(items) && end >= 0 && later.slice(0, end).every((way) => sameRun(way, items))
  })
}

const MOST_PATHS = 500
const FEW = 32
const MOST_LATER = 8

const itemsOf = (node: PatternNode): PatternNode[] =>
  node.kind === 'sequence' ? node.items.flatMap(itemsOf) : [node]

/** Whether a node is a set of characters, possibly with lookaheads: `(?=[^a])\p{L}`. */
function isCharacter(node: PatternNode): boolean {
  if (node.kind === 'character') return true
  if (node.kind === 'choice') return node.ways.every(isCharacter)
  if (node.kind !== 'sequence') return false
  const { items } = node
  return (
    items.length > 0 &&
    isCharacter(items[items.length - 1]) &&
    items.slice(0, -1).every((item) => item.kind === 'look' && isCharacter(item.body))
  )
}

/** Whether a node is a repetition of unbounded length. Up to a few characters do not count as a loop. */
const isLoop = (node: PatternNode): boolean =>
  node.kind === 'repeat' && !(node.most <= FEW && isCharacter(node.body)) && node.most > 1

function canFail(node: PatternNode): boolean {
  if (node.kind === 'sequence') return node.items.some(canFail)
  if (node.kind === 'choice') return node.ways.every(canFail)
  return node.kind === 'repeat' ? node.least > 0 && canFail(node.body) : true
}

/** Whether a node contains no loop whose failure costs more than it matches. */
function isCheap(node: PatternNode): boolean {
  if (node.kind === 'character') return true
  if (node.kind === 'choice') return node.ways.every((way) => !hasLoop(way) || isCharacter(way))
  if (node.kind === 'look') return !hasLoop(node.body)
  if (node.kind === 'repeat') {
    if (isCharacter(node.body)) return node.least <= FEW
    return isLoop(node)
      ? node.least <= 1 && isCheapBody(node.body)
      : isCheap(node.body) && !hasLoop(node.body)
  }
  return node.items.every(isCheap)
}

/** Whether the body of a loop can fail only within its first few characters: `(?:\p{N}{1,3})+`. */
const isCheapBody = (body: PatternNode): boolean =>
  !hasLoop(body) &&
  itemsOf(body)
    .slice(1)
    .every((item) => !canFail(item))

function hasLoop(node: PatternNode): boolean {
  if (isLoop(node)) return true
  if (node.kind === 'sequence') return node.items.some(hasLoop)
  if (node.kind === 'choice') return node.ways.some(hasLoop)
  return node.kind === 'repeat' || node.kind === 'look' ? hasLoop(node.body) : false
}

/** Number of paths through a sequence, without its loops. */
function pathsOf(items: readonly PatternNode[]): number {
  return items.reduce((product, item) => product * paths(item), 1)
}

function paths(node: PatternNode): number {
  if (node.kind === 'character') return 1
  if (node.kind === 'sequence') return pathsOf(node.items)
  if (node.kind === 'choice') return node.ways.reduce((sum, way) => sum + paths(way), 0)
  if (node.kind === 'look') return paths(node.body)
  if (isCharacter(node.body)) return node.most <= FEW ? node.most - node.least + 1 : 1
  return isLoop(node) ? paths(node.body) : 1 + paths(node.body)
}

/** Whether the items are a few characters, a loop over a set, and a rest that fails immediately. */
function readsRun(items: readonly PatternNode[]): boolean {
  const at = items.findIndex(isLoop)
  const loop = items[at]
  if (at < 0 || loop?.kind !== 'repeat' || loop.lazy || loop.least > 1 || !isCharacter(loop.body))
    return false
  const rest = items.slice(at + 1)
  const last = rest.findLastIndex(canFail)
  const quick = rest.slice(0, last).every((item) => !hasLoop(item))
  return quick && items.slice(0, at).every((item) => !hasLoop(item)) && endsQuickly(rest, last)
}

/** Whether the last item that can fail is a few characters, optionally with a loop over them. */
function endsQuickly(rest: readonly PatternNode[], last: number): boolean {
  const item = rest[last]
  const isQuick =
    !hasLoop(item) || (item.kind === 'repeat' && item.least <= FEW && isCharacter(item.body))
  return isQuick && rest.slice(last + 1).every(isCheap)
}

const prefixOf = (items: readonly PatternNode[]): string => {
  const at = items.findIndex(isLoop)
  const loop = items[at]
  const body = loop?.kind === 'repeat' ? loop.body.source : ''
  return [...items.slice(0, at).map(({ source }) => source), body].join(' ')
}

/** Whether two alternatives read the same run of characters. */
const sameRun = (way: readonly PatternNode[], items: readonly PatternNode[]): boolean =>
  readsRun(way) && prefixOf(way) === prefixOf(items)

/** Whether an alternative matches the same run of characters, or all but the last one (`\s+(?!\S)`). */
function consumesRun(way: readonly PatternNode[], items: readonly PatternNode[]): boolean {
  const at = way.findIndex(isLoop)
  const loop = way[at]
  if (at < 0 || loop?.kind !== 'repeat' || loop.lazy || loop.least > 1 || loop.most !== Infinity)
    return false
  if (!isCharacter(loop.body) || prefixOf(way) !== prefixOf(items)) return false
  const rest = way.slice(at + 1)
  if (rest.every((item) => !canFail(item) && isCheap(item))) return true
  const [look] = rest
  return (
    rest.length === 1 &&
    look.kind === 'look' &&
    look.negated &&
    !look.behind &&
    look.body.source === complementOf(loop.body.source)
  )
}

/** The source of the complement of a set. */
const complementOf = (source: string): string =>
  source.startsWith('\\p')
    ? `\\P${source.slice(2)}`
    : source.startsWith('\\P')
      ? `\\p${source.slice(2)}`
      : ''
