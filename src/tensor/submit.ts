// Sending work off: what optimisers, loops and generators are built on.
import type { Node } from '../graph/node.ts'
import { reported, submitPatiently } from '../runtime/run.ts'
import { macrotask } from '../util/macrotask.ts'
import type { TensorCore } from './core.ts'

let inFlight: Promise<void> = Promise.resolve()

/**
 * Computes these tensors in one program. Resolves when the program *before* has ended, so that the
 * host builds one step while the device runs another, and never more than that.
 * @throws whatever the program before failed with.
 */
export async function realize(tensors: readonly TensorCore[]): Promise<void> {
  await pace(submitPatiently(tensors.map((t) => t.node)))
}

/** Waits for the run before this one, and lets finalisers of dropped memory run. */
export async function pace(run: Promise<void>): Promise<void> {
  const before = inFlight
  inFlight = run
  run.catch(() => {})
  await unlessReported(before)
  await macrotask()
}

/** A failure that a reader of its results has seen already is not thrown a second time. */
async function unlessReported(run: Promise<void>): Promise<void> {
  try {
    await run
  } catch (error) {
    if (!reported.has(error as Error)) {
      reported.add(error as Error)
      throw error
    }
  }
}

/** Resolves when everything that was submitted has run. */
export async function synchronize(): Promise<void> {
  await unlessReported(inFlight)
  await macrotask()
}

/** Lets graphs go that have been computed for good, as a step does with its losses. */
export function release(nodes: Iterable<Node>): void {
  for (const node of nodes) node.release()
}
