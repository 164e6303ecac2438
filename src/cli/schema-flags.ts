// Flags derived from the schema of a configuration.
import { InvalidArgumentError } from 'commander'
import type { z } from 'zod'

export type ValueKind = 'array' | 'boolean' | 'number' | 'record' | 'string'

/** The kind of values of a key, without wrappers such as defaults. */
export function valueKind(schema: z.ZodType): ValueKind {
  const def = schema.def as { type: string; innerType?: z.ZodType }
  if (def.innerType) return valueKind(def.innerType)
  if (def.type === 'int') return 'number'
  return ['array', 'boolean', 'number', 'record'].includes(def.type)
    ? (def.type as ValueKind)
    : 'string'
}

/** Collects assignments such as `hidden_act=relu` in an object; values that are JSON are parsed. */
export function assignments(
  text: string,
  before: Record<string, unknown> = {},
): Record<string, unknown> {
  const [, key, value] = /^([\w.-]{1,80})=(.*)$/s.exec(text) ?? []
  if (key === undefined) throw new InvalidArgumentError('It must be KEY=VALUE.')
  return { ...before, [key]: parsed(value) }
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
