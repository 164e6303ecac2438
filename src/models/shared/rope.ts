// Rotary embeddings as config.json has them: `rope_parameters`, or `rope_theta` and `rope_scaling`.
import { z } from 'zod'
import { type RopeParameters, ropeTypes } from '../../nn/index.ts'

const number = z.number().positive().nullable().optional()

const rope = z
  .object({
    rope_type: z.enum(ropeTypes).optional(),
    type: z.enum(ropeTypes).optional(), // as older configs call it
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
    partial_rotary_factor: z.literal(1).optional(),
  })
  .superRefine((value, context) => {
    for (const key of needed[typeOf(value)])
      if (typeof value[key] !== 'number')
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `'${typeOf(value)}' needs a number`,
        })
  })
  .nullable()
  .optional()

/** To be spread into the schema of a config. */
export const ropeFields = {
  rope_theta: z.number().positive().optional(),
  rope_scaling: rope,
  rope_parameters: rope,
  partial_rotary_factor: z.literal(1).optional(),
}

type Stored = z.output<typeof rope>

interface RopeConfig {
  rope_theta?: number
  rope_scaling?: Stored
  rope_parameters?: Stored
  max_position_embeddings: number
}

/** Both spellings as one. */
export function ropeOf(config: RopeConfig): RopeParameters {
  const { type: _, ...told } = config.rope_scaling ?? config.rope_parameters ?? {}
  return {
    ...told,
    rope_type: typeOf(config.rope_scaling ?? config.rope_parameters ?? {}),
    rope_theta: told.rope_theta ?? config.rope_theta ?? 10_000,
  }
}

/** The most tokens that a model can see: some scalings stretch what it was made for. */
export function ropeContext(config: RopeConfig): number {
  const { rope_type, factor, original_max_position_embeddings } = ropeOf(config)
  const longest = config.max_position_embeddings
  if (!stretching.has(rope_type)) return longest
  return Math.max(
    longest,
    Math.floor((original_max_position_embeddings ?? longest) * (factor ?? 1)),
  )
}

const stretching: ReadonlySet<string> = new Set(['dynamic', 'yarn', 'llama3'])

const needed = {
  default: [],
  linear: ['factor'],
  dynamic: ['factor'],
  yarn: [],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor'],
} as const satisfies Record<RopeParameters['rope_type'], readonly (keyof RopeParameters)[]>

const typeOf = ({
  rope_type,
  type,
}: {
  rope_type?: RopeParameters['rope_type']
  type?: RopeParameters['rope_type']
}): RopeParameters['rope_type'] => rope_type ?? type ?? 'default'
