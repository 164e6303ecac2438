// Submits programs to the device. Optimisers, training loops and generators are built on it.
import type { Node } from '../graph/node.ts'
import { reported, submitPatiently } from '../runtime/run.ts'
import { macrotask } from '../util/macrotask.ts'
import { nodesOf } from './arguments.ts'
import type { Tensor } from './tensor.ts'

let inFlight: Promise<void> = Promise.resolve()

/**
 * Computes tensors in one program. Resolves when the *previous* program has finished, so that the host builds one step
 * while the device runs another.
 * @throws the error of the previous program
 */
export async function realize(tensors: readonly Tensor[]): Promise<void> {
  const { run } = await submitPatiently(nodesOf(tensors, 'realize'))
  await awaitPrevious(run)
}

/** Waits for the previous run, and lets finalisers free unreachable memory. */
export async function awaitPrevious(run: Promise<void>): Promise<void> {
  const before = inFlight
  inFlight = run
  run.catch(() => {})
  await unlessReported(before)
  await macrotask()
}

/** Does not throw an error again that a reader of the results has already received. */
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

/** Resolves when all submitted programs have finished. @throws the error of the last one */
export async function synchronize(): Promise<void> {
  await unlessReported(inFlight)
  await macrotask()
}

/** Releases the graphs of computed nodes, as a step does with its losses. */
export function release(nodes: Iterable<Node>): void {
  for (const node of nodes) node.release()
}
