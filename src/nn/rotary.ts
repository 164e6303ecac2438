// Rotary position embeddings (Su et al., 2021, "RoFormer"): pairs of features of queries and keys are rotated by an
// angle proportional to the position, so that scores depend on relative positions only.
// B batch, T tokens, H heads, D features of a head

import { checkTensors } from '../tensor/arguments.ts'
import { cat, type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { type RopeParameters, ropeFrequencies } from './rope-scaling.ts'

/** Options of `Rotary`. */
export interface RotaryOptions {
  /** Number of rotated features of a head, an even number: D, or less if only a part is rotated. */
  headDim: number
  /** Frequencies and their scaling. */
  rope: RopeParameters
  /** The model's context length in training (`max_position_embeddings`). */
  maxPositions: number
  /** Features of a pair: (i, i + D/2) as in Hugging Face's Llama, or (2i, 2i + 1) as in the paper. Default 'halves'. */
  layout?: 'halves' | 'interleaved'
}

const ROTARY = optionKinds<RotaryOptions>({
  headDim: 'size',
  rope: 'object',
  maxPositions: 'number',
  layout: 'text?',
})

/**
 * Cosines and sines at the positions of tokens: ((B,) T, 1, 2, D/2), or ((B,) T, 1, D/2, 2) with the interleaved
 * layout.
 */
export interface RotaryAngles {
  /** Cosines, f32. */
  cos: Tensor
  /** Sines, f32, in the shape of `cos`. */
  sin: Tensor
  /** Axis of the two features of a pair. */
  axis: -1 | -2
}

/** Computes the rotation angles of rotary position embeddings (Su et al., 2021). `rotate` applies them. */
export class Rotary {
  private readonly options: RotaryOptions
  private readonly scale: number
  /** Axis of the two features of a pair. */
  private readonly axis: -1 | -2
  /** Radians per position. Negative for the first feature of a pair, which gets -sin. */
  private readonly radians: Tensor
  /** Exponents of the growth of theta with the length (dynamic NTK); null for other types. */
  private readonly exponents: Tensor | null
  /** Radians for sequences of more than `beyond` tokens (LongRoPE); null if they do not depend on the length. */
  private readonly long: { radians: Tensor; beyond: number } | null

  /** Computes the frequencies. @throws HeedError for an odd `headDim` and for missing parameters of the scaling */
  constructor(options: RotaryOptions) {
    ROTARY.check('Rotary', options)
    const { headDim, rope, maxPositions, layout = 'halves' } = options
    if (headDim % 2 !== 0)
      throw invalidOption({
        key: 'headDim',
        value: headDim,
        expected: 'even',
        remedy: 'Rotary embeddings rotate pairs of features. Choose a head size that is even.',
      })
    this.options = options
    this.axis = layout === 'halves' ? -2 : -1
    const { radians, scale, long } = ropeFrequencies(headDim, rope, maxPositions)
    this.scale = scale
    this.radians = this.paired(radians, -1)
    this.long = long ? { ...long, radians: this.paired(long.radians, -1) } : null
    this.exponents =
      rope.rope_type === 'dynamic'
        ? this.paired(
            radians.map((_, i) => (-2 * i) / Math.max(1, headDim - 2)),
            1,
          )
        : null
  }

  /**
   * Computes cosines and sines.
   * @param positions i32 (T), or (B, T) if they differ between sequences
   * @param attended positions without padding, from which `dynamic` and `longrope` take the length of the sequence.
   * Default `positions`
   */
  at(positions: Tensor, attended = positions): RotaryAngles {
    checkTensors('Rotary.at', { positions, attended })
    const { axis, scale } = this
    const places = positions.to('f32').reshape([...positions.shape, 1, 1, 1])
    const angles = places.mul(this.radiansFor(attended))
    const [cos, sin] = [angles.cos(), angles.sin()]
    return scale === 1 ? { cos, sin, axis } : { cos: cos.mul(scale), sin: sin.mul(scale), axis }
  }

  /** The radians for a sequence whose length follows from the largest position. */
  private radiansFor(positions: Tensor): Tensor {
    const { exponents, long, radians } = this
    if (exponents) return this.grown(exponents, positions.amax().add(1))
    return long ? positions.amax().ge(long.beyond).where(long.radians, radians) : radians
  }

  /**
   * Dynamic NTK (bloc97 and emozilla, 2023). For sequences longer than maxPositions, theta is multiplied by
   * ratio^(D/(D-2)), where ratio = factor·length/maxPositions - (factor - 1).
   */
  private grown(exponents: Tensor, length: Tensor): Tensor {
    const { rope, maxPositions } = this.options
    const factor = rope.factor ?? 1
    const ratio = length
      .to('f32')
      .mul(factor / maxPositions)
      .sub(factor - 1)
      .clamp({ min: 1 })
    return this.radians.mul(ratio.log().mul(exponents).exp())
  }

  private paired(values: Float64Array, sign: 1 | -1): Tensor {
    const first = Array.from(values, (value) => sign * value)
    const second = Array.from(values)
    const halves = tensor([first, second])
    return this.axis === -2 ? halves : tensor(first.map((value, i) => [value, second[i]]))
  }
}

/**
 * Rotates the heads of x, (B, T, H·D) or (B, T, H, D) (Su et al., 2021). Runs as one kernel, because
 * swapping the pairs is a view.
 * @param headDim D, if only the first features of each head are rotated
 * @returns the shape of x
 */
export function rotate(x: Tensor, angles: RotaryAngles, headDim?: number): Tensor {
  checkTensors('rotate', { x })
  checkArgument('rotate', 'angles', angles, 'object')
  const { cos, sin, axis } = angles
  checkTensors('rotate', { cos, sin })
  const [batch, tokens] = x.shape
  const rotated = cos.shape[cos.rank - 2] * cos.shape[cos.rank - 1]
  if (headDim !== undefined && headDim > rotated) {
    const heads = x.reshape(batch, tokens, -1, headDim)
    const rest = heads.narrow(-1, rotated, headDim - rotated)
    return cat([rotate(heads.narrow(-1, 0, rotated), angles), rest], -1).reshape(x.shape)
  }
  const pairs = x.reshape(batch, tokens, -1, ...cos.shape.slice(-2))
  return pairs.mul(cos).add(pairs.flip(axis).mul(sin)).reshape(x.shape)
}
