// Attention with linear biases (Press et al., 2022, "ALiBi"): keys count for less the further back they are.

import { checkTensors } from '../tensor/arguments.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'

/**
 * What is added to scores, one slope for each head: i32 positions of keys (S), or (B, S) where texts
 * differ -> (H, 1, S), or (B, H, 1, S). The query's own position would add the same to all keys, which
 * a softmax does not notice.
 */
export function alibi(heads: number, positions: Tensor): Tensor {
  checkArgument('alibi', 'heads', heads, 'size')
  checkTensors('alibi', { positions })
  const slopes = tensor(alibiSlopes(heads)).reshape(heads, 1, 1)
  const places = positions.to('f32').unsqueeze(-2) // (1, S), or (B, 1, S)
  return (positions.rank === 2 ? places.unsqueeze(1) : places).mul(slopes)
}

/** 2^(-8/H), its square and so on; other counts than powers of two take every other of the next one. */
function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads))
  const first = Array.from({ length: whole }, (_, i) => 2 ** ((-8 * (i + 1)) / whole))
  const between = Array.from(
    { length: heads - whole },
    (_, i) => 2 ** ((-8 * (2 * i + 1)) / (2 * whole)),
  )
  return [...first, ...between]
}
