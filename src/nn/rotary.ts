// Rotary position embeddings (Su et al., 2021, "RoFormer"): pairs of features of queries and keys turn
// by an angle that grows with the position, so that scores depend on distances alone.
// B batch, T tokens, H heads, D features of a head
import { type Tensor, tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { type RopeParameters, ropeFrequencies } from './rope-scaling.ts'

export interface RotaryOptions {
  /** D: features of a head, an even number. */
  headDim: number
  rope: RopeParameters
  /** The longest text that the model was made for. */
  maxPositions: number
  /** A pair is (i, i + D/2), as in Hugging Face's Llama, or (2i, 2i + 1), as in the paper. */
  layout?: 'halves' | 'interleaved'
}

/** Cosines and sines of tokens at their positions: ((B,) T, 1, 2, D/2), or the last two swapped. */
export interface Turns {
  cos: Tensor
  sin: Tensor
  /** Of a pair's two features. */
  axis: -1 | -2
}

export class Rotary {
  private readonly options: RotaryOptions
  private readonly scale: number
  /** The axis of a pair's two features. */
  private readonly axis: -1 | -2
  /** Radians for each position; negative for the first of a pair, as -sin is what it takes. */
  private readonly radians: Tensor
  /** Of theta, by which it grows with the text ("dynamic"); null: it does not. */
  private readonly exponents: Tensor | null

  constructor(options: RotaryOptions) {
    const { headDim, rope, maxPositions, layout = 'halves' } = options
    if (headDim % 2 !== 0)
      throw new HeedError(
        'invalid-option',
        `Rotary embeddings turn pairs, but a head has ${headDim} features`,
        {
          remedy: 'Take an even number of features for each head.',
        },
      )
    this.options = options
    this.axis = layout === 'halves' ? -2 : -1
    const { radians, scale } = ropeFrequencies(headDim, rope, maxPositions)
    this.scale = scale
    this.radians = this.paired(radians, -1)
    this.exponents =
      rope.rope_type === 'dynamic'
        ? this.paired(
            radians.map((_, i) => (-2 * i) / Math.max(1, headDim - 2)),
            1,
          )
        : null
  }

  /**
   * @param positions i32 (T), or (B, T) where texts differ
   * @param seen those of them that matter, which tell how long the text is for `dynamic` scaling
   */
  at(positions: Tensor, seen = positions): Turns {
    const { axis, scale, exponents } = this
    const places = positions.to('f32').reshape([...positions.shape, 1, 1, 1])
    const angles = places.mul(exponents ? this.grown(exponents, seen.amax().add(1)) : this.radians)
    const [cos, sin] = [angles.cos(), angles.sin()]
    return scale === 1 ? { cos, sin, axis } : { cos: cos.mul(scale), sin: sin.mul(scale), axis }
  }

  /**
   * Dynamic NTK (bloc97 and emozilla, 2023): theta grows by ratio^(D/(D-2)) with
   * ratio = factor·length/longest - (factor - 1), once texts are longer than the model was made for.
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

/** Turns the heads of x (B, T, H·D), side by side, or (B, T, H, D). One kernel: the swap is a view. */
export function rotate(x: Tensor, { cos, sin, axis }: Turns): Tensor {
  const [batch, tokens] = x.shape
  const pairs = x.reshape(batch, tokens, -1, ...cos.shape.slice(-2))
  return pairs.mul(cos).add(pairs.flip(axis).mul(sin)).reshape(x.shape)
}
