// Converts the issues of a zod schema to the usual form of errors: "`lr` must be at least 0, got -1".
import { alternatives, type ErrorDetails, shown } from './errors.ts'
import { nearestFirst } from './nearest.ts'

/** The used fields of zod's issues. */
interface Issue {
  readonly code?: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly expected?: string
  readonly minimum?: number | bigint
  readonly maximum?: number | bigint
  readonly inclusive?: boolean
  readonly origin?: string
  readonly values?: readonly unknown[]
}

export interface SchemaProblem {
  /** The invalid key: `lr`, `data.0`. */
  key: string
  value: unknown
  /** Description of valid values; undefined for an unknown key, or if the schema has none. */
  expected?: string
  message: string
  try?: ErrorDetails['try']
  remedy?: string
  /** Whether the key is unknown. */
  unknown?: boolean
}

/**
 * One entry per invalid key of `value`. Custom messages of a schema must complete "X must be …".
 * @param known the valid keys
 */
export function schemaProblems(
  issues: readonly Issue[],
  value: unknown,
  known: readonly string[],
): SchemaProblem[] {
  const all = issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      return (issue.keys ?? []).map((name) => unknownKey([...path, name], value, known))
    return [unfitValue(issue, path, path.reduce(memberOf, value))]
  })
  // If a value fails several checks of a schema, the last one is the most specific.
  return [...new Map(all.map((problem) => [problem.key, problem])).values()]
}

function unfitValue(issue: Issue, path: string[], value: unknown): SchemaProblem {
  const key = path.join('.')
  const name = key === '' ? 'The value' : `\`${key}\``
  const expected = expectedOf(issue)
  const message = expected
    ? `${name} must be ${expected}, got ${shown(value)}`
    : `${name} cannot be ${shown(value)}`
  const isName = issue.code === 'invalid_value' && typeof value === 'string'
  const [near] = isName ? nearestFirst(value, (issue.values ?? []).map(String)) : []
  if (near === undefined) return { key, value, expected, message }
  return {
    key,
    value,
    expected,
    message,
    try: { [key]: [near] },
    remedy: `Did you mean '${near}'?`,
  }
}

function unknownKey(path: string[], value: unknown, known: readonly string[]): SchemaProblem {
  const key = path.join('.')
  const [near] = nearestFirst(path[path.length - 1], known)
  return {
    key,
    value: path.reduce(memberOf, value),
    unknown: true,
    message: `The key \`${key}\` is unknown`,
    remedy: near && `Did you mean \`${near}\`?`,
  }
}

function expectedOf({ code, message, ...issue }: Issue): string | undefined {
  if (code === 'invalid_type') return TYPES[issue.expected ?? ''] ?? issue.expected
  if (code === 'invalid_value') return alternatives(issue.values ?? [])
  if (code !== 'too_small' && code !== 'too_big')
    return message.startsWith('Invalid') ? undefined : message
  const [limit, inside, outside] =
    code === 'too_small'
      ? [issue.minimum, 'at least', 'greater than']
      : [issue.maximum, 'at most', 'less than']
  const bound = `${issue.inclusive === false ? outside : inside} ${limit}`
  const unit = UNITS[issue.origin ?? '']
  return unit ? `a list or text of ${bound} ${unit}` : bound
}

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  nan: 'NaN',
  null: 'null',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
}

const UNITS: Readonly<Record<string, string>> = { array: 'entries', string: 'characters' }

function memberOf(value: unknown, key: string): unknown {
  const isObject = typeof value === 'object' && value !== null
  return isObject && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}
