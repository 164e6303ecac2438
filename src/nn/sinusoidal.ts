import { checkTensors } from '../tensor/arguments.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import { Module } from './module.ts'

/** Config of `Sinusoidal`. */
export interface SinusoidalConfig {
  /** Width, C. */
  size: number
  /**
   * Whether sine and cosine of a frequency are adjacent, as in the paper. If false, all sines precede all cosines,
   * which is a permutation of the columns. Default true.
   */
  interleaved?: boolean
  /** The longest wavelength is 2π·base. Default 10000. */
  base?: number
}

/**
 * Sinusoidal position embeddings (Vaswani et al., 2017, section 3.5): P(t)[2i] = sin(t·base^(-2i/C)), and P(t)[2i+1] is
 * the cosine. P(t+τ) is a rotation of P(t) that depends only on τ. It has no parameters.
 */
export class Sinusoidal extends Module<SinusoidalConfig> {
  /** @hidden */
  static readonly configRules = optionKinds<SinusoidalConfig>({
    size: 'size',
    interleaved: 'flag?',
    base: 'number?',
  })

  #table: Tensor | null = null // (N, C)

  /** Embeds positions: i32 (...), each below `limit`, -> f32 (..., C). */
  forward(positions: Tensor, limit: number): Tensor {
    checkTensors('Sinusoidal', { positions })
    checkArgument('Sinusoidal', 'limit', limit, 'count')
    return this.rows(limit).take(positions, 0)
  }

  /** The first N ≥ count rows, (N, C). The table grows on demand. */
  private rows(count: number): Tensor {
    if (this.#table && this.#table.shape[0] >= count) return this.#table
    const { size } = this.config
    this.#table = tensor(waves(count, this.config), { shape: [count, size] })
    return this.#table
  }
}

/** Computed in double precision, because t times a frequency is inaccurate in single precision. */
function waves(
  count: number,
  { size, interleaved = true, base = 10000 }: SinusoidalConfig,
): Float32Array {
  const out = new Float32Array(count * size)
  const sines = Math.ceil(size / 2)
  for (let column = 0; column < size; column++) {
    const frequency = base ** ((-2 * Math.floor(column / 2)) / size)
    const wave = column % 2 === 0 ? Math.sin : Math.cos
    const place = interleaved ? column : (column % 2) * sines + Math.floor(column / 2)
    for (let t = 0; t < count; t++) out[t * size + place] = wave(t * frequency)
  }
  return out
}
