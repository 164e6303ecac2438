// Rotary embeddings in config.json: `rope_parameters`, or `rope_theta` and `rope_scaling`.
import { z } from 'zod'
import { type RopeParameters, ropeTypes } from '../../nn/index.ts'
import { shown } from '../../util/errors.ts'
import { warn } from '../../util/warn.ts'
import { dimension } from './config.ts'

const number = z.number().positive().nullable().optional()
const share = z.number().gt(0).max(1).nullable().optional()
const factors = z.array(z.number().positive()).max(4096).nullable().optional()

const rope = z
  .looseObject({
    rope_type: z.enum(ropeTypes).optional(),
    type: z.unknown().optional(), // name in older configs; rope_type overrides it
    rope_theta: number,
    factor: number,
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
    const type = typeOf(value)
    if (!isRopeType(type))
      context.addIssue({
        code: 'custom',
        path: ['type'],
        message: `must be one of ${ropeTypes.join(', ')}`,
      })
    else
      for (const key of needed[type])
        if (value[key] === undefined || value[key] === null)
          context.addIssue({ code: 'custom', path: [key], message: `'${type}' needs a value` })
  })
  .nullable()
  .optional()

/** Config keys for rotary embeddings. Spread them into the schema of a config. */
export const ropeFields = {
  /** Base of the frequencies of rotary embeddings. Default 10000. */
  rope_theta: z.number().positive().optional(),
  /** Scaling of rotary embeddings in older files. It overrides `rope_parameters`. */
  rope_scaling: rope,
  /** Type, base and scaling of rotary embeddings. */
  rope_parameters: rope,
  /** Fraction of a head's features that are rotated. Default 1. */
  partial_rotary_factor: share,
  /** Context length before it was extended, in tokens, for the scaling of rotary embeddings. */
  original_max_position_embeddings: dimension.nullish(),
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

/** Combines both spellings by the rules of transformers. Parameters that the type does not use cause a warning. */
export function ropeOf(config: RopeConfig): RopeParameters {
  const { rope_scaling, rope_parameters } = config
  const isScaled = rope_scaling && Object.keys(rope_scaling).length > 0
  const { type, ...stored }: NonNullable<Stored> = (isScaled ? rope_scaling : rope_parameters) ?? {}
  const named = typeOf({ ...stored, type })
  const rope_type = isRopeType(named) ? named : 'default'
  warnOfUnused(stored, rope_type)
  return {
    ...stored,
    rope_type,
    rope_theta: stored.rope_theta ?? config.rope_theta ?? 10_000,
    partial_rotary_factor: stored.partial_rotary_factor ?? config.partial_rotary_factor ?? 1,
    original_max_position_embeddings:
      config.original_max_position_embeddings ?? stored.original_max_position_embeddings,
  }
}

/** Returns the parameters for a family that always rotates all features of a head, as in transformers. */
export function wholeRotation(rope: RopeParameters, title: string): RopeParameters {
  const { partial_rotary_factor: factor } = rope
  if (factor !== undefined && factor !== null && factor !== 1)
    warn(`${title} rotates all features of a head. partial_rotary_factor ${factor} was ignored.`)
  return { ...rope, partial_rotary_factor: 1 }
}

/**
 * Removes keys that transformers ignores because `rope_parameters` overrides them. An empty `rope_scaling` means no
 * scaling.
 */
export function withoutOverriddenRope(raw: object): object {
  const { rope_scaling, ...rest }: Record<string, unknown> = { ...raw }
  const isScaled =
    Boolean(rope_scaling) && !(Array.isArray(rope_scaling) && rope_scaling.length === 0)
  const config: Record<string, unknown> = isScaled ? { ...rest, rope_scaling } : rest
  const stored = isScaled ? rope_scaling : rest.rope_parameters
  if (typeof stored !== 'object' || stored === null) return config
  for (const key of ['rope_theta', 'partial_rotary_factor'])
    if (Object.hasOwn(stored, key)) delete config[key]
  const type = typeOf(stored)
  if (isRopeType(type) && !EXTENDED.has(type)) delete config.original_max_position_embeddings
  return config
}

/** Removes `partial_rotary_factor`, for families that do not use it. */
export function withoutPartialRotation(raw: object, title: string): object {
  const { partial_rotary_factor: factor, ...config }: Record<string, unknown> = { ...raw }
  if (factor !== undefined && factor !== null && factor !== 1)
    warn(
      `${title} rotates all features of a head. partial_rotary_factor ${shown(factor)} was ignored.`,
    )
  return config
}

/** Types that depend on the original context length. */
const EXTENDED: ReadonlySet<string> = new Set(['llama3', 'yarn', 'longrope'])

function warnOfUnused(stored: object, type: RopeParameters['rope_type']): void {
  const unused = Object.entries(stored)
    .filter(([key, value]) => value !== null && !ofAllTypes.has(key) && !ofType[type].includes(key))
    .map(([key]) => key)
  if (unused.length > 0)
    warn(`rotary embeddings of type '${type}' do not use ${unused.join(', ')} in the config.`)
}

/** Number of rotated features of a head. */
export const rotatedDim = (headDim: number, { partial_rotary_factor }: RopeParameters): number =>
  Math.floor(headDim * (partial_rotary_factor ?? 1))

/** Maximum number of tokens. Some types extend the original context length. */
export function ropeContext(config: RopeConfig): number {
  const { rope_type, factor, original_max_position_embeddings } = ropeOf(config)
  const longest = config.max_position_embeddings
  if (!stretching.has(rope_type)) return longest
  return Math.max(
    longest,
    Math.floor((original_max_position_embeddings ?? longest) * (factor ?? 1)),
  )
}

/**
 * Number of tokens above which caches become invalid. LongRoPE has other frequencies beyond the original context
 * length.
 */
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

const ofAllTypes: ReadonlySet<string> = new Set([
  ...['rope_type', 'rope_theta', 'partial_rotary_factor', 'original_max_position_embeddings'],
])

/** Parameters of each type, in addition to those of all types. */
const ofType: Readonly<Record<RopeParameters['rope_type'], readonly string[]>> = {
  default: [],
  linear: ['factor'],
  dynamic: ['factor'],
  yarn: [
    ...['factor', 'attention_factor', 'beta_fast', 'beta_slow'],
    ...['mscale', 'mscale_all_dim', 'truncate'],
  ],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor'],
  longrope: ['factor', 'attention_factor', 'short_factor', 'long_factor'],
}

const typeOf = ({ rope_type, type }: { rope_type?: unknown; type?: unknown }): unknown =>
  rope_type ?? type ?? 'default'

const isRopeType = (value: unknown): value is RopeParameters['rope_type'] =>
  ropeTypes.some((type) => type === value)
