import type { Parameter, Tensor } from '../tensor/index.ts'

/** Removes the gradient, or sets an accumulated one to zero. Returns the tensors that it assigns. */
export function clearGrad(parameter: Parameter): Tensor[] {
  parameter.gradRoots = []
  const { grad } = parameter
  if (grad && isPersistent(grad)) return [grad.assign(0)]
  parameter.grad = null
  return []
}

/** Whether a gradient was accumulated. It then has its own memory. */
export const isPersistent = (grad: Tensor): boolean => grad.node.variable === grad
