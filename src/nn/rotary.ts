// Rotary position embeddings (Su et al., 2021, "RoFormer"): pairs of features of queries and keys are
// rotated by an angle proportional to the position, so that scores depend on relative positions only.
// B batch, T tokens, H heads, D features of a head

import { checkTensors } from '../tensor/arguments.ts'
import { cat, type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { type RopeParameters, ropeFrequencies } from './rope-scaling.ts'

export interface RotaryOptions {
  /** The rotated features of a head, an even number: D, unless a part of them is rotated. */
  headDim: number
  rope: RopeParameters
  /** The context length of the model's training. */
  maxPositions: number
  /** A pair is (i, i + D/2), as in Hugging Face's Llama, or (2i, 2i + 1), as in the paper. */
  layout?: 'halves' | 'interleaved'
}

/** Cosines and sines of tokens at their positions: ((B,) T, 1, 2, D/2), or the last two swapped. */
const ROTARY = optionKinds<RotaryOptions>({
  headDim: 'size',
  rope: 'object',
  maxPositions: 'number',
  layout: 'text?',
})

export interface RotaryAngles {
  cos: Tensor
  sin: Tensor
  /** The axis of the two features of a pair. */
  axis: -1 | -2
}

export class Rotary {
  private readonly options: RotaryOptions
  private readonly scale: number
  /** The axis of the two features of a pair. */
  private readonly axis: -1 | -2
  /** Radians for each position; negative for the first of a pair, which takes -sin. */
  private readonly radians: Tensor
  /** Exponents by which theta grows with the text (dynamic NTK); null otherwise. */
  private readonly exponents: Tensor | null
  /** The radians of texts with more tokens than `beyond` ("longrope"); null: the same for all. */
  private readonly long: { radians: Tensor; beyond: number } | null

  constructor(options: RotaryOptions) {
    ROTARY.check('Rotary', options)
    const { headDim, rope, maxPositions, layout = 'halves' } = options
    if (headDim % 2 !== 0)
      throw invalidOption({
        key: 'headDim',
        value: headDim,
        expected: 'even',
        remedy: 'Rotary embeddings rotate pairs of features: choose an even number for each head.',
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
   * @param positions i32 (T), or (B, T) if they differ between texts
   * @param attended positions that are not padding; `dynamic` and `longrope` scaling take the length of the text from them
   */
  at(positions: Tensor, attended = positions): RotaryAngles {
    checkTensors('Rotary.at', { positions, attended })
    const { axis, scale } = this
    const places = positions.to('f32').reshape([...positions.shape, 1, 1, 1])
    const angles = places.mul(this.radiansFor(attended))
    const [cos, sin] = [angles.cos(), angles.sin()]
    return scale === 1 ? { cos, sin, axis } : { cos: cos.mul(scale), sin: sin.mul(scale), axis }
  }

  /** The radians for a text that is as long as its last position says. */
  private radiansFor(positions: Tensor): Tensor {
    const { exponents, long, radians } = this
    if (exponents) return this.grown(exponents, positions.amax().add(1))
    return long ? positions.amax().ge(long.beyond).where(long.radians, radians) : radians
  }

  /**
   * Dynamic NTK (bloc97 and emozilla, 2023): theta grows by ratio^(D/(D-2)) with
   * ratio = factor·length/maxPositions - (factor - 1), for texts longer than maxPositions.
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
 * Rotates the heads of x (B, T, H·D), side by side, or (B, T, H, D). One kernel: the swap is a view.
 * @param headDim D, where fewer features are rotated than a head has: the first of each head
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
