// Rotary embeddings as config.json has them: `rope_parameters`, or `rope_theta` and `rope_scaling`.
import { z } from 'zod'
import { type RopeParameters, ropeTypes } from '../../nn/index.ts'

const number = z.number().positive().nullable().optional()
const share = z.number().gt(0).max(1).nullable().optional()
const factors = z.array(z.number().positive()).max(4096).nullable().optional()

const rope = z
  .object({
    rope_type: z.enum(ropeTypes).optional(),
    type: z.enum(ropeTypes).optional(), // the name in older configs
    rope_theta: number,
    factor: z.number().min(1).nullable().optional(),
    original_max_position_embeddings: number,
    low_freq_factor: number,
    high_freq_factor: number,
    attention_factor: number,
    beta_fast: number,
    beta_slow: number,
    mscale: number,
    mscale_all_dim: number,
    truncate: z.boolean().nullable().optional(),
    partial_rotary_factor: share,
    short_factor: factors,
    long_factor: factors,
  })
  .superRefine((value, context) => {
    for (const key of needed[typeOf(value)])
      if (value[key] === undefined || value[key] === null)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `'${typeOf(value)}' needs a value`,
        })
  })
  .nullable()
  .optional()

/** To be spread into the schema of a config. */
export const ropeFields = {
  rope_theta: z.number().positive().optional(),
  rope_scaling: rope,
  rope_parameters: rope,
  partial_rotary_factor: share,
}

type Stored = z.output<typeof rope>

interface RopeConfig {
  rope_theta?: number
  rope_scaling?: Stored
  rope_parameters?: Stored
  partial_rotary_factor?: number | null
  max_position_embeddings: number
  original_max_position_embeddings?: number | null
}

/** Both spellings as one. */
export function ropeOf(config: RopeConfig): RopeParameters {
  const { type: _, ...stored } = config.rope_scaling ?? config.rope_parameters ?? {}
  return {
    ...stored,
    rope_type: typeOf(config.rope_scaling ?? config.rope_parameters ?? {}),
    rope_theta: stored.rope_theta ?? config.rope_theta ?? 10_000,
    partial_rotary_factor: stored.partial_rotary_factor ?? config.partial_rotary_factor ?? 1,
    original_max_position_embeddings:
      stored.original_max_position_embeddings ?? config.original_max_position_embeddings,
  }
}

/** How many of a head's features are rotated. */
export const rotatedDim = (headDim: number, { partial_rotary_factor }: RopeParameters): number =>
  Math.floor(headDim * (partial_rotary_factor ?? 1))

/** The most tokens that a model can see: some scalings extend what it was trained for. */
export function ropeContext(config: RopeConfig): number {
  const { rope_type, factor, original_max_position_embeddings } = ropeOf(config)
  const longest = config.max_position_embeddings
  if (!stretching.has(rope_type)) return longest
  return Math.max(
    longest,
    Math.floor((original_max_position_embeddings ?? longest) * (factor ?? 1)),
  )
}

/** LongRoPE has other frequencies beyond the length of the training. */
export function ropeCacheLimit(config: RopeConfig): number {
  const { rope_type, original_max_position_embeddings } = ropeOf(config)
  return rope_type === 'longrope'
    ? (original_max_position_embeddings ?? config.max_position_embeddings)
    : Number.POSITIVE_INFINITY
}

const stretching: ReadonlySet<string> = new Set(['dynamic', 'yarn', 'llama3'])

const needed = {
  default: [],
  linear: ['factor'],
  dynamic: ['factor'],
  yarn: [],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor'],
  longrope: ['short_factor', 'long_factor'],
} as const satisfies Record<RopeParameters['rope_type'], readonly (keyof RopeParameters)[]>

const typeOf = ({
  rope_type,
  type,
}: {
  rope_type?: RopeParameters['rope_type']
  type?: RopeParameters['rope_type']
}): RopeParameters['rope_type'] => rope_type ?? type ?? 'default'
