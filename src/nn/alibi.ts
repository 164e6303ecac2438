// Attention with linear biases (Press et al., 2022, "ALiBi"): distant keys get lower scores.

import { checkTensors } from '../tensor/arguments.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'

/**
 * Computes the ALiBi biases, which are added to attention scores (Press et al., 2022). Each head has its own slope. The
 * query's position is omitted: it would add the same value to all keys, and softmax is invariant to that.
 * @param positions i32 positions of the keys: (S), or (B, S) if they differ between sequences
 * @returns f32 (H, 1, S), or (B, H, 1, S)
 */
export function alibi(heads: number, positions: Tensor): Tensor {
  checkArgument('alibi', 'heads', heads, 'size')
  checkTensors('alibi', { positions })
  const slopes = tensor(alibiSlopes(heads)).reshape(heads, 1, 1)
  const places = positions.to('f32').unsqueeze(-2) // (1, S), or (B, 1, S)
  return (positions.rank === 2 ? places.unsqueeze(1) : places).mul(slopes)
}

/** Geometric sequence from 2^(-8/H). If H is not a power of two, the rest comes from the sequence of the next power. */
function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads))
  const first = Array.from({ length: whole }, (_, i) => 2 ** ((-8 * (i + 1)) / whole))
  const between = Array.from(
    { length: heads - whole },
    (_, i) => 2 ** ((-8 * (2 * i + 1)) / (2 * whole)),
  )
  return [...first, ...between]
}
