import { gradients, variablesOf } from '../grad/backward.ts'
import { filled } from '../graph/build.ts'
import { ShapeError } from '../util/errors.ts'
import { checkTensors } from './arguments.ts'
import { tensorOf } from './core.ts'
import { zerosLike } from './create.ts'
import { pendingBuffers } from './module-buffer.ts'
import { realize, release } from './submit.ts'
import type { Tensor } from './tensor.ts'

/**
 * Computes the gradient of one micro-batch and adds it to `grad` of each parameter. The gradients keep their memory, so
 * that any number of micro-batches needs as much as one. The optimiser's step uses the sum and clears it. To get the
 * mean over all micro-batches, multiply each loss by its fraction of all items (rows, tokens). `loss` can be read
 * afterwards.
 * @throws HeedError unless the loss has one element
 */
export async function accumulate(loss: Tensor): Promise<void> {
  const state = addGradients(loss)
  const root = loss.node
  await realize([loss, ...state, ...pendingBuffers()])
  release([root])
}

/** Like `accumulate`, but only builds the graph, for a held program. Returns the gradient tensors that it assigns. */
export function addGradients(loss: Tensor): Tensor[] {
  checkTensors('accumulate()', { loss })
  if (loss.size !== 1)
    throw new ShapeError(`accumulate(): the loss must have one element, got ${loss.size}`, {
      remedy: 'Reduce it first with .mean() or .sum().',
    })
  const variables = variablesOf(loss.node)
  const found = gradients([loss.node], [filled(1, loss.shape)], variables)
  const state: Tensor[] = []
  found.forEach((grad, i) => {
    const variable = variables[i].variable as Tensor
    if (!grad) return
    variable.grad ??= persistentZeros(variable)
    variable.grad.assign(variable.grad.add(tensorOf(grad)))
    state.push(variable.grad)
  })
  return state
}

function persistentZeros(like: Tensor): Tensor {
  const out = zerosLike(like)
  out.becomeState()
  return out
}
