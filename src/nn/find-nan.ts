import { describe, type Node } from '../graph/node.ts'
import { checkTensors } from '../tensor/arguments.ts'
import { firstNaN, type NaNOrigin } from '../tensor/first-nan.ts'
import type { Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { checkModule, type Module } from './module.ts'

export type { NaNOrigin }

/**
 * The first operation whose result has NaN, in the computation of a loss and, after `backward()`, of its gradients;
 * null if there is none. A parameter that holds NaN is named itself, with the operation `parameter`.
 *
 *     const origin = await findNaN(model, loss)   // { module: 'h.3.mlp', operation: 'log', … }
 *
 * Everything is computed once more: call it before `step()`, or after a `step()` with `checkFinite` has rejected.
 * @throws HeedError when a step has freed the graph of the loss
 */
export async function findNaN(model: Module, loss: Tensor): Promise<NaNOrigin | null> {
  checkModule('findNaN', model)
  checkTensors('findNaN', { loss })
  if (loss.node.released)
    throw new HeedError(
      'invalid-state',
      `The graph of the loss must exist when findNaN() is called, got a freed one (${describe(loss.node)})`,
      { remedy: 'Call it before step(), on a loss that is computed anew.' },
    )
  const gradients = model.parameters().flatMap(({ grad }) => (grad ? [grad.node] : []))
  const found = await firstNaN([loss.node, ...gradients])
  if (!found) return null
  // Before its first use, a parameter is a copy of the values that it was given.
  const holds = (node: Node): boolean => node === found.node || node.inputs.includes(found.node)
  const state = model.namedState().find(([, { node }]) => holds(node))
  if (!state) return found.origin
  return { ...found.origin, module: state[0], operation: 'parameter' }
}
