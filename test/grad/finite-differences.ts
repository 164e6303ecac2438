import { expect } from 'vitest'
import { gradients } from '../../src/grad/backward.ts'
import type { TypedArray } from '../../src/graph/dtype.ts'
import type { Node } from '../../src/graph/node.ts'
import { evaluate, noise, prepare } from '../support/evaluate.ts'

/** A function to differentiate: `wrt` are leaves, and `outputs` what is computed from them. */
export interface Graph {
  wrt: readonly Node[]
  outputs: readonly Node[]
}

const STEP = 1e-5
const TOLERANCE = 2e-7 // the cube of the step, and the rounding of doubles over the step

/** Compares the gradient of Σ weight·output, order by order, with central differences. */
export async function expectGradients({ wrt, outputs }: Graph, order = 1): Promise<void> {
  const weights = outputs.map((output) => noise(output.shape))
  for (const weight of weights) weight.tracked = order > 1
  const grads = gradients(outputs, weights, wrt)
  await compare(grads, { wrt, outputs }, weights)
  if (order > 1) {
    const kept = grads.filter((grad) => grad?.tracked) as Node[]
    await expectGradients({ wrt: [...wrt, ...weights], outputs: kept }, order - 1)
  }
}

async function compare(
  grads: readonly (Node | null)[],
  { wrt, outputs }: Graph,
  weights: readonly Node[],
): Promise<void> {
  const known = grads.filter((grad) => grad !== null)
  const values = await evaluate(known)
  const loss = weighted(outputs, weights)
  for (const [i, node] of wrt.entries()) {
    const numeric = await differences(node, loss)
    const grad = grads[i]
    const exact = grad ? [...values[known.indexOf(grad)]] : numeric.map(() => 0)
    if (grad) expect(grad.shape).toEqual(node.shape)
    const size = Math.max(1, ...numeric.map(Math.abs))
    const error = Math.max(0, ...numeric.map((n, j) => Math.abs(n - exact[j]) / size))
    if (!(error <= TOLERANCE)) expect(exact, `gradient of input ${i}`).toEqual(numeric)
  }
}

type Loss = (contents: ReadonlyMap<Node, TypedArray>) => Promise<number>

function weighted(outputs: readonly Node[], weights: readonly Node[]): Loss {
  const run = prepare(outputs)
  return async (contents) => {
    let sum = 0
    for (const [i, values] of (await run(contents)).entries()) {
      const weight = contents.get(weights[i]) ?? (weights[i].data as TypedArray)
      for (let j = 0; j < values.length; j++) sum += values[j] * weight[j]
    }
    return sum
  }
}

async function differences(node: Node, loss: Loss): Promise<number[]> {
  const at = Float64Array.from(node.data as TypedArray)
  const out: number[] = []
  for (let i = 0; i < at.length; i++) {
    const x = at[i]
    at[i] = x + STEP
    const above = await loss(new Map([[node, at]]))
    at[i] = x - STEP
    const below = await loss(new Map([[node, at]]))
    at[i] = x
    out.push((above - below) / (2 * STEP))
  }
  return out
}
