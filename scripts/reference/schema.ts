// Types and defaults of the keys of a JSON file, in words, from its schema.
import type { z } from 'zod'
import { code, codes } from './markdown.ts'

/** Longer lists of names are not printed. */
const MAX_NAMES = 8

interface Definition {
  type: string
  innerType?: z.ZodType
  in?: z.ZodType
  out?: z.ZodType
  element?: z.ZodType
  entries?: object
  values?: readonly unknown[]
  options?: readonly z.ZodType[]
  items?: readonly z.ZodType[]
  format?: string
}

/** The schema without defaults and other wrappers. */
export function innermost(schema: z.ZodType): z.ZodType {
  const inner = innerOf(schema)
  return inner ? innermost(inner) : schema
}

/** What a wrapper or a conversion reads. */
function innerOf(schema: z.ZodType): z.ZodType | undefined {
  const { innerType, in: input, out } = schema.def as Definition
  return innerType ?? (input?.def.type === 'transform' ? out : input)
}

export function typeOf(schema: z.ZodType): string {
  const definition = schema.def as Definition
  const { type, element, entries = {}, values = [], options = [], items = [], format } = definition
  const inner = innerOf(schema)
  const innerText = inner ? typeOf(inner) : ''
  const names = Object.keys(entries)
  switch (type) {
    case 'optional':
      return innerText.endsWith(', optional') ? innerText : `${innerText}, optional`
    case 'nullable':
      return `${innerText} or null`
    case 'array':
      return `list of ${element ? `${typeOf(element)}s` : 'values'}`
    case 'tuple':
      return `list of ${items.length} ${items[0] ? `${typeOf(items[0])}s` : 'values'}`
    case 'enum':
      return names.length > MAX_NAMES ? 'name' : codes(names)
    case 'literal':
      return codes(values.map(String))
    case 'union':
      return [...new Set(options.map(typeOf))].join(' or ')
    case 'number':
      return format === 'safeint' ? 'whole number' : 'number'
    default:
      return inner ? innerText : (WORDS[type] ?? type)
  }
}

const WORDS: Readonly<Record<string, string>> = {
  record: 'object',
  string: 'text',
  boolean: '`true` or `false`',
  unknown: 'any value',
}

/** The default in JSON; '' for a required key, or one that may be missing. */
export function defaultOf(schema: z.ZodType): string {
  const { success, data } = schema.safeParse(undefined)
  return success && data !== undefined ? code(JSON.stringify(data)) : ''
}
