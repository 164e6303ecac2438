import { z } from 'zod'
import type { ErrorCode } from '../util/error-codes.ts'
import { alternatives, HeedError, shown } from '../util/errors.ts'

/** Details of a refused value. */
interface Refusal {
  /** Path of the value within the value that the schema describes. */
  path?: PropertyKey[]
  code?: ErrorCode
  try?: Record<string, string[]>
  remedy?: string
  cause?: unknown
}

/** Reports an invalid value from a transform of a schema: "… must be `expected`, got …". */
export function refuse(
  context: Pick<z.RefinementCtx, 'issues'>,
  value: unknown,
  expected: string,
  { path = [], ...params }: Refusal = {},
): never {
  context.issues.push({ code: 'custom', input: value, path, message: expected, params })
  return z.NEVER
}

/** Reports the first issue of a schema that was used in the transform of another schema. */
export function refuseBy(context: Pick<z.RefinementCtx, 'issues'>, error: z.ZodError): never {
  const [issue] = error.issues
  const params: Refusal = issue.code === 'custom' ? (issue.params ?? {}) : {}
  return refuse(context, issue.input, expectedBy(issue), { ...params, path: issue.path })
}

/**
 * The error for the first issue of a schema: "`normalizer.type` in tokenizer.json must be …, got …". Parse with
 * `reportInput`, so that issues contain the values.
 */
export function schemaError(error: z.ZodError, source: string): HeedError {
  const [issue] = error.issues
  const key = keyOf(issue.path)
  const expected = expectedBy(issue)
  const { code = 'corrupt-file', ...refusal }: Refusal =
    issue.code === 'custom' ? (issue.params ?? {}) : {}
  return new HeedError(
    code,
    `${key === '' ? source : `\`${key}\` in ${source}`} must be ${expected}, got ${describe(issue.input)}`,
    { key, value: issue.input, expected, remedy: REMEDY, ...refusal },
  )
}

/** Describes a value briefly. Values from files may be large or deeply nested. */
function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shown(value)
  if (!Array.isArray(value))
    return `an object with the keys ${shown(Object.keys(value).slice(0, 5))}`
  const short = value.length <= 4 && value.every((item) => typeof item !== 'object')
  return short ? shown(value) : `a list of ${value.length}`
}

const REMEDY = 'Copy or download the file again, or save it again with the program that wrote it.'

/** `normalizers[1].type`, `vocab["a b"]`. */
function keyOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((key, part) => {
    if (typeof part === 'number') return `${key}[${part}]`
    if (/^[a-z_]\w*$/i.test(String(part)))
      return key === '' ? String(part) : `${key}.${String(part)}`
    return `${key}[${shown(String(part))}]`
  }, '')
}

function expectedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return issue.message
    case 'invalid_type':
      return NOUNS[issue.expected] ?? `a value of type ${issue.expected}`
    case 'invalid_value':
      return alternatives(issue.values.map((value) => shown(value)))
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unitOf(issue.origin)}`
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unitOf(issue.origin)}`
    default:
      return `valid (${issue.message})`
  }
}

const NOUNS: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  tuple: 'a list',
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long'
  return origin === 'array' ? ' entries long' : ''
}
