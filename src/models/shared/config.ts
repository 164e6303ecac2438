import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'

/** A width or a count. The limit keeps a hostile config from building for hours. */
export const size = z
  .int()
  .min(1)
  .max(2 ** 24)

/** Layers and heads. */
export const few = z.int().min(1).max(4096)

export const probability = z.number().min(0).max(1)

/** Of the end of a text: one, several, or none. */
export const eosTokenId = z.union([z.int(), z.array(z.int()).max(64)]).nullable()

/**
 * A config as its schema has it, with defaults for what is left out.
 * @throws HeedError that names each key which does not fit
 */
export function parseConfig<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  model: string,
): z.output<S> {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const lines = result.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'config'}: ${message}`,
  )
  throw new HeedError('invalid-config', `This is not a config of ${model}:\n${lines.join('\n')}`)
}
