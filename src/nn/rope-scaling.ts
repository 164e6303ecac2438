// Frequencies of rotary position embeddings (Su et al., 2021), and their scaling to contexts longer than in training.
import { HeedError, shown } from '../util/errors.ts'

/** Names of the kinds of rotary position embeddings, as in config.json. */
export const ropeTypes = ['default', 'linear', 'dynamic', 'yarn', 'llama3', 'longrope'] as const

/** `rope_parameters` of a config.json. */
export interface RopeParameters {
  /** The scaling method. `default` scales nothing. */
  rope_type: (typeof ropeTypes)[number]
  /** Base of the frequencies: pair i of D/2 turns by theta^(-2i/D) radians per position (Su et al., 2021). */
  rope_theta: number
  /** Ratio of the new context length to that of the original training. */
  factor?: number | null
  /** Context length of the original training. Default: `max_position_embeddings`. */
  original_max_position_embeddings?: number | null
  /** For "llama3": pairs with fewer rotations than this within the original context are divided by `factor`. */
  low_freq_factor?: number | null
  /** For "llama3": pairs with more rotations than this within the original context are unchanged. */
  high_freq_factor?: number | null
  /** For "yarn" and "longrope": factor of cosines and sines. Default: computed from `factor`. */
  attention_factor?: number | null
  /** For "yarn": pairs with more rotations than this within the original context are unchanged. Default 32. */
  beta_fast?: number | null
  /**
   * For "yarn": pairs with fewer rotations than this within the original context are divided by `factor`. Default 1.
   */
  beta_slow?: number | null
  /** For "yarn": weight of the attention factor. Used together with `mscale_all_dim`. */
  mscale?: number | null
  /** For "yarn": weight of the divisor of the attention factor. */
  mscale_all_dim?: number | null
  /** For "yarn": whether the ends of the ramp are rounded to whole pairs. Default true. */
  truncate?: boolean | null
  /** For "longrope": divisors of the frequencies, up to the original context length and beyond it. */
  short_factor?: readonly number[] | null
  /** For "longrope": divisors of the frequencies beyond the original context length. */
  long_factor?: readonly number[] | null
  /** Fraction of a head's features that are rotated. Default 1. */
  partial_rotary_factor?: number | null
}

export interface Frequencies {
  /** Radians per position, for each of the dim / 2 pairs. */
  radians: Float64Array
  /** Factor of cosines and sines. Values above 1 sharpen attention. */
  scale: number
  /** Radians for sequences of more than `beyond` tokens, if they differ. */
  long?: { radians: Float64Array; beyond: number }
}

/** @param longest `max_position_embeddings` of the config */
export function ropeFrequencies(dim: number, rope: RopeParameters, longest: number): Frequencies {
  const plain = Float64Array.from(
    { length: dim / 2 },
    (_, i) => rope.rope_theta ** ((-2 * i) / dim),
  )
  return scalings[rope.rope_type](plain, rope, longest)
}

type Scaling = (plain: Float64Array, rope: RopeParameters, longest: number) => Frequencies

const unscaled: Scaling = (radians) => ({ radians, scale: 1 })

const scalings: Record<RopeParameters['rope_type'], Scaling> = {
  default: unscaled,
  // Depends on the length of the sequence; see `Rotary`.
  dynamic: unscaled,
  linear,
  yarn,
  llama3,
  longrope,
}

/** Position interpolation (Chen et al., 2023). */
function linear(plain: Float64Array, rope: RopeParameters): Frequencies {
  const factor = given(rope, 'factor')
  return { radians: plain.map((f) => f / factor), scale: 1 }
}

/** Llama 3: keeps high frequencies and divides low ones by the factor (Dubey et al., 2024). */
function llama3(plain: Float64Array, rope: RopeParameters, longest: number): Frequencies {
  const factor = given(rope, 'factor')
  const low = given(rope, 'low_freq_factor')
  const high = given(rope, 'high_freq_factor')
  const length = rope.original_max_position_embeddings ?? longest
  const radians = plain.map((f) => {
    const rotations = (length * f) / (2 * Math.PI) // within the original context length
    if (rotations > high) return f
    if (rotations < low) return f / factor
    return mix(f / factor, f, (rotations - low) / (high - low))
  })
  return { radians, scale: 1 }
}

/** YaRN: interpolation with a linear ramp over the pairs, and sharper attention (Peng et al., 2023). */
function yarn(plain: Float64Array, rope: RopeParameters, longest: number): Frequencies {
  const length = rope.original_max_position_embeddings ?? longest
  const factor = rope.factor ?? longest / length
  const dim = 2 * plain.length
  // The pair with this number of rotations within the original context length.
  const pairOf = (rotations: number): number =>
    (dim * Math.log(length / (rotations * 2 * Math.PI))) / (2 * Math.log(rope.rope_theta))
  const [from, to] = [pairOf(rope.beta_fast || 32), pairOf(rope.beta_slow || 1)]
  const truncate = rope.truncate !== false
  const first = Math.max(truncate ? Math.floor(from) : from, 0)
  const last = Math.min(truncate ? Math.ceil(to) : to, dim - 1)
  const width = last === first ? 0.001 : last - first
  const radians = plain.map((f, i) =>
    mix(f, f / factor, Math.min(1, Math.max(0, (i - first) / width))),
  )
  return { radians, scale: rope.attention_factor ?? sharpness(factor, rope) }
}

function sharpness(factor: number, { mscale, mscale_all_dim }: RopeParameters): number {
  const of = (weight: number): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1)
  return mscale && mscale_all_dim ? of(mscale) / of(mscale_all_dim) : of(1)
}

/**
 * LongRoPE: a divisor for each pair, with a second set for sequences beyond the original context length (Ding et al.,
 * 2024).
 */
function longrope(plain: Float64Array, rope: RopeParameters, longest: number): Frequencies {
  const length = rope.original_max_position_embeddings ?? longest
  const factor = rope.factor ?? longest / length
  const scale = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(length))
  return {
    radians: divided(plain, rope, 'short_factor'),
    scale: rope.attention_factor ?? scale,
    long: { radians: divided(plain, rope, 'long_factor'), beyond: length },
  }
}

function divided(
  plain: Float64Array,
  rope: RopeParameters,
  key: 'short_factor' | 'long_factor',
): Float64Array {
  const divisors = rope[key] ?? []
  if (divisors.length === plain.length) return plain.map((f, i) => f / divisors[i])
  throw new HeedError(
    'invalid-config',
    `${key} of rope_parameters must have ${plain.length} numbers, got ${divisors.length}`,
    {
      key,
      value: divisors.length,
      remedy: 'Write one number for each pair of rotated features of a head.',
    },
  )
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share

function given(
  rope: RopeParameters,
  key: 'factor' | 'low_freq_factor' | 'high_freq_factor',
): number {
  const value = rope[key]
  if (typeof value === 'number') return value
  throw new HeedError(
    'invalid-config',
    `\`${key}\` must be given for rotary embeddings of type '${rope.rope_type}', got ${shown(value)}`,
    {
      key,
      value,
      remedy: `Add "${key}" to rope_parameters (or rope_scaling) of the config.`,
    },
  )
}
