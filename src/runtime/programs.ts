// The cache of compiled programs of all devices. The least recently used programs are evicted first.
import { type Shape, showShape } from '../graph/shape.ts'
import { lower } from '../schedule/lower.ts'
import { warn } from '../util/warn.ts'
import type { Device, Executable } from './device.ts'
import { count } from './stats.ts'
import { isLeaf, type Trace } from './trace.ts'

interface Program {
  device: Device
  key: Int32Array
  executable: Executable
  lastUsed: number
}

const MAX_PROGRAMS = 256
const MAX_BYTES = 256 * 2 ** 20

const byHash = new Map<number, Program[]>()
let clock = 0
let size = 0

/** Returns the program for this graph, and compiles it on first use. */
export function programFor(graph: Trace, device: Device): Executable {
  const bucket = byHash.get(graph.hash)
  const found = bucket?.find((p) => p.device === device && sameWords(p.key, graph.key))
  if (found) {
    found.lastUsed = ++clock
    count.cacheHits++
    return found.executable
  }
  const executable = device.compile(lower(graph.nodes, graph.outputs, isLeaf, device.composites))
  const program = { device, key: graph.key, executable, lastUsed: ++clock }
  if (bucket) bucket.push(program)
  else byHash.set(graph.hash, [program])
  size++
  count.compilations++
  count.programBytes += executable.bytes
  if (size > MAX_PROGRAMS || count.programBytes > MAX_BYTES) evict(program)
  warnOfVariants(graph)
  return executable
}

/** Empties the cache of compiled programs, so that the next runs compile again. */
export function clearPrograms(): void {
  byHash.clear()
  variants.clear()
  size = 0
  count.programBytes = 0
}

function evict(newest: Program): void {
  const all = [...byHash.entries()].flatMap(([hash, list]) => list.map((p) => ({ hash, p })))
  all.sort((a, b) => a.p.lastUsed - b.p.lastUsed)
  for (const { hash, p } of all) {
    if (size <= MAX_PROGRAMS && count.programBytes <= MAX_BYTES) return
    if (p === newest) continue
    const rest = (byHash.get(hash) as Program[]).filter((other) => other !== p)
    if (rest.length > 0) byHash.set(hash, rest)
    else byHash.delete(hash)
    size--
    count.programBytes -= p.executable.bytes
  }
}

function sameWords(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

// --- programs that differ only in one size

const TOO_MANY = 24
interface Variants {
  shapes: Shape[]
  count: number
  /** Positions at which sizes differ: `leaf axis` -> description with a shape. */
  differs: Map<string, string>
  /** Whether a single size differed each time, such as the batch size of tokens and targets. */
  oneSize: boolean
}

const variants = new Map<string, Variants>()

/** Warns once, with the name of the axis, if a size that changes at each run causes a compilation at each run. */
function warnOfVariants(graph: Trace): void {
  const recipe = graph.nodes.map((node) => node.op).join(' ')
  const shapes = graph.leaves.map((node) => node.shape)
  const seen = variants.get(recipe)
  if (!seen) {
    if (variants.size > MAX_PROGRAMS) variants.clear()
    variants.set(recipe, { shapes, count: 1, differs: new Map(), oneSize: true })
    return
  }
  seen.count++
  const sizes = new Set<number>()
  shapes.forEach((shape, leaf) => {
    shape.forEach((n, axis) => {
      if (n === seen.shapes[leaf]?.[axis]) return
      sizes.add(n)
      seen.differs.set(`${leaf} ${axis}`, `axis ${axis} of ${showShape(shape)}`)
    })
  })
  if (sizes.size > 1) seen.oneSize = false
  if (seen.count === TOO_MANY && seen.differs.size > 0 && seen.oneSize)
    warn(
      `${TOO_MANY} compiled programs differ only in ${[...seen.differs.values()].join(', ')}. Pad this size to a few fixed values, so that each is compiled once.`,
    )
}
