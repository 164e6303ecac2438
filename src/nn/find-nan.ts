import { describe, type Node } from '../graph/node.ts'
import { checkTensors } from '../tensor/arguments.ts'
import { firstNaN, type NaNOrigin } from '../tensor/first-nan.ts'
import type { Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { checkModule, type Module } from './module.ts'

export type { NaNOrigin }

/**
 * Finds the first operation whose result contains NaN, in the computation of `loss` and, after `backward()`, of its
 * gradients. Returns null if there is none. If a parameter contains NaN, it is returned, with the operation
 * `parameter`.
 *
 *     const origin = await findNaN(model, loss)   // { module: 'h.3.mlp', operation: 'log', … }
 *
 * Everything is computed again. Call it before `step()`, or after `step({ checkFinite: true })` has rejected.
 * @throws HeedError if a step has already freed the graph of the loss
 */
export async function findNaN(model: Module, loss: Tensor): Promise<NaNOrigin | null> {
  checkModule('findNaN', model)
  checkTensors('findNaN', { loss })
  if (loss.node.released)
    throw new HeedError(
      'invalid-state',
      `The graph of the loss must exist when findNaN() is called, got one that a step has freed (${describe(loss.node)})`,
      { remedy: 'Compute the loss again and call findNaN() before step().' },
    )
  const gradients = model.parameters().flatMap(({ grad }) => (grad ? [grad.node] : []))
  const found = await firstNaN([loss.node, ...gradients])
  if (!found) return null
  // Before its first use, a parameter is a copy of its initial values.
  const holds = (node: Node): boolean => node === found.node || node.inputs.includes(found.node)
  const state = model.namedState().find(([, { node }]) => holds(node))
  if (!state) return found.origin
  return { ...found.origin, module: state[0], operation: 'parameter' }
}
