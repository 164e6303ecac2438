// The contract itself: whatever a graph is, every native device computes what the reference device
// computes in doubles.
import { expect } from 'vitest'
import { gradients } from '../../src/grad/backward.ts'
import { isFloat, type TypedArray } from '../../src/graph/dtype.ts'
import type { Node } from '../../src/graph/node.ts'
import { countOf } from '../../src/graph/shape.ts'
import { cpuDevices } from '../support/devices.ts'
import { evaluate, noise } from '../support/evaluate.ts'
import { listing } from './listing.ts'

export interface Agreement {
  /** The largest error, as a share of the largest number of the tensor. */
  tolerance?: number
  /** What the share is of at least: sums of large numbers may come out near 0. */
  floor?: number
}

/** Integers agree exactly, floats within the tolerance, and so do infinities and NaN. */
export async function expectAgreement(nodes: readonly Node[], how: Agreement = {}): Promise<void> {
  if (nodes.length === 0) return
  const expected = await evaluate(nodes)
  for (const { name, make } of cpuDevices) {
    const found = await evaluate(nodes, make()).catch((error) => {
      throw new Error(`${name}: ${error.message}\n${listing(nodes)}`, { cause: error })
    })
    nodes.forEach((node, i) => {
      const wrong = difference(found[i], expected[i], isFloat(node.dtype), how)
      if (wrong) expect.fail(`${name}: output ${i}: ${wrong}\n${listing(nodes)}`)
    })
  }
}

/** As above, of the gradients of Σ weight·output too: sums of terms around 1. */
export async function expectAgreementWithGradients(
  outputs: readonly Node[],
  wrt: readonly Node[],
  how: Agreement = {},
): Promise<void> {
  await expectAgreement(outputs, how)
  const terms = outputs.reduce((n, node) => n + countOf(node.shape), 0)
  await expectAgreement(slopesOf(outputs, wrt), {
    ...how,
    floor: Math.max(1, terms / 100, how.floor ?? 0),
  })
}

/** The gradients, of the inputs that have any. */
function slopesOf(outputs: readonly Node[], wrt: readonly Node[]): Node[] {
  const roots = outputs.filter((node) => node.tracked)
  if (roots.length === 0) return []
  const seeds = roots.map((node) => noise(node.shape))
  return gradients(roots, seeds, wrt).filter((node) => node !== null)
}

/** What is wrong with `found`, in words; null when nothing is. */
function difference(
  found: TypedArray,
  expected: TypedArray,
  float: boolean,
  { tolerance = 1e-5, floor = 0 }: Agreement = {},
): string | null {
  if (found.length !== expected.length)
    return `${found.length} elements where ${expected.length} are expected`
  const size = float ? largest(expected) : 0
  const allowed = float ? Math.max(tolerance * Math.max(size, floor), SMALLEST) : 0
  for (let i = 0; i < found.length; i++) {
    const wanted = float ? Math.fround(expected[i]) : expected[i]
    if (Object.is(found[i], wanted) || found[i] === wanted) continue
    if (Math.abs(found[i] - wanted) <= allowed) continue
    return `element ${i} of ${found.length} is ${found[i]}, not ${wanted} (largest ${size})`
  }
  return null
}

/** Below it, floats may be flushed to 0. */
const SMALLEST = 2 ** -126

function largest(values: TypedArray): number {
  let out = 0
  for (const x of values) if (Number.isFinite(Math.fround(x))) out = Math.max(out, Math.abs(x))
  return out
}
