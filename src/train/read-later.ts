import type { Tensor } from '../tensor/index.ts'

/**
 * Queues the reading of a scalar. The promise may be awaited late, or never if something else fails first; its error is
 * thrown only where it is awaited.
 */
export function readLater(scalar: Tensor): Promise<number> {
  const value = scalar.item()
  value.catch(() => {})
  return value
}
