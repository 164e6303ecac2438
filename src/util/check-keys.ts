import { HeedError, shown } from './errors.ts'
import { nearestFirst } from './nearest.ts'

/**
 * Checks that `options` is an object with known keys only: `checkKeys('AdamW', options, ['lr', 'betas'])`. Undefined is
 * accepted.
 * @throws HeedError with the most similar key
 */
export function checkKeys(owner: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return
  if (!isPlain(options)) throw notOptions(owner, options, known)
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw unknownKey(owner, key, known)
}

/**
 * The error for an unknown key of options.
 * @param others other valid names, too many to list
 */
export function unknownKey(
  owner: string,
  key: string,
  known: readonly string[],
  others: readonly string[] = [],
): HeedError {
  const [near] = nearestFirst(key, [...known, ...others])
  return new HeedError(
    'unknown-name',
    `The options of ${owner} must be among ${known.join(', ')}, got \`${key}\``,
    {
      key,
      expected: known.join(', '),
      remedy: near === undefined ? `${owner} has no options.` : `Did you mean \`${near}\`?`,
    },
  )
}

/** The error for a value that is not an options object. */
export function notOptions(owner: string, options: unknown, known: readonly string[]): HeedError {
  return new HeedError(
    'invalid-option',
    `The options of ${owner} must be an object with keys among ${known.join(', ')}, got ${shown(options)}`,
    { key: 'options', value: options, remedy: `Write { ${known[0]}: … }.` },
  )
}

/** Whether a value is a plain object, not an array, a tensor or a function. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // Objects of another realm (a vm, a worker) have another Object.prototype, which has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
