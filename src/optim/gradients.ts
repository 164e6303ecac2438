import type { Parameter, Tensor } from '../tensor/index.ts'

/** Takes the gradient away; one in memory that stays becomes zero. Returns what it assigns. */
export function clearGrad(parameter: Parameter): Tensor[] {
  parameter.gradRoots = []
  const { grad } = parameter
  if (grad && isPersistent(grad)) return [grad.assign(0)]
  parameter.grad = null
  return []
}

/** Whether a gradient was accumulated, and so lives in memory of its own. */
export const isPersistent = (grad: Tensor): boolean => grad.node.variable === grad
