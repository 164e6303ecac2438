import { type Parameter, runtimeScalar, type Tensor } from '../tensor/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { isPersistent } from './gradients.ts'
import { listOfParameters } from './groups.ts'

/**
 * Scales the gradients in place so that their joint norm is at most `max` (Pascanu et al., 2013).
 * @returns the norm before scaling. The next optimiser step computes it; read it after that.
 * @throws HeedError if no parameter has a gradient
 */
export function clipGradNorm(params: Iterable<Parameter>, max: number): Tensor {
  if (!(max > 0))
    throw invalidOption({ owner: 'clipGradNorm', key: 'max', value: max, expected: 'a number > 0' })
  const owners = listOfParameters('clipGradNorm', params).filter((parameter) => parameter.grad)
  const norm = gradNormOf(owners.map((parameter) => parameter.grad as Tensor))
  const scale = clipScale(norm, () => max)
  for (const parameter of owners) {
    const grad = parameter.grad as Tensor
    if (isPersistent(grad)) grad.assign(grad.mul(scale))
    else parameter.grad = grad.mul(scale)
  }
  owners[0].gradRoots.push(norm.node)
  return norm
}

/** The joint norm of all gradients, taken as one vector. */
export function gradNormOf(grads: readonly Tensor[]): Tensor {
  if (grads.length === 0)
    throw new HeedError('invalid-state', 'A parameter must have a gradient to clip, got none', {
      remedy: 'Call loss.backward() first.',
    })
  return grads
    .map((grad) => grad.square().sum())
    .reduce((a, b) => a.add(b))
    .sqrt()
}

/** The clipping factor for gradients with this norm. */
export const clipScale = (norm: Tensor, max: () => number): Tensor =>
  runtimeScalar(max).div(norm.add(1e-6)).minimum(1)
