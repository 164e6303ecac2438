import { checkTensors } from '../tensor/arguments.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import { Module } from './module.ts'

export interface SinusoidalConfig {
  /** C, the width. */
  size: number
  /**
   * Sine and cosine of one frequency side by side, as the paper has them; otherwise all sines first,
   * then all cosines, which is the same up to an order of columns. Default true.
   */
  interleaved?: boolean
  /** The longest wave is 2π times this. Default 10000. */
  base?: number
}

/**
 * Positions as waves (Vaswani et al., 2017, section 3.5): P(t)[2i] = sin(t·base^(-2i/C)), P(t)[2i+1] the
 * cosine. P(t+τ) is a rotation of P(t) that depends on τ alone. Nothing here is trained.
 */
export class Sinusoidal extends Module<SinusoidalConfig> {
  static readonly configRules = optionKinds<SinusoidalConfig>({
    size: 'size',
    interleaved: 'flag?',
    base: 'number?',
  })

  #table: Tensor | null = null // (N, C)

  /** positions (...) i32, each below `limit` -> (..., C). */
  forward(positions: Tensor, limit: number): Tensor {
    checkTensors('Sinusoidal', { positions })
    checkArgument('Sinusoidal', 'limit', limit, 'count')
    return this.rows(limit).take(positions, 0)
  }

  /** The first rows, (N, C) with N ≥ count. The table grows when more are asked for. */
  private rows(count: number): Tensor {
    if (this.#table && this.#table.shape[0] >= count) return this.#table
    const { size } = this.config
    this.#table = tensor(waves(count, this.config), { shape: [count, size] })
    return this.#table
  }
}

/** In double precision: t times a frequency loses too many digits in single. */
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
