import type { Tensor } from '../tensor/index.ts'

/**
 * The value of a scalar, read in the order of the device's work. It may be awaited late, or not at all when something
 * else has failed before: its error is thrown only where it is awaited.
 */
export function readLater(scalar: Tensor): Promise<number> {
  const value = scalar.item()
  value.catch(() => {})
  return value
}
