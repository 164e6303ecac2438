import { HeedError } from './errors.ts'
import { nearestFirst } from './nearest.ts'

/**
 * Refuses keys that an options object does not have: `checkKeys('AdamW', options, ['lr', 'betas'])`.
 * @throws HeedError with the most similar key
 */
export function checkKeys(owner: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const near = nearestFirst(unknown, known)
  throw new HeedError(
    'unknown-name',
    `The options of ${owner} must be among ${known.join(', ')}, got \`${unknown}\``,
    { key: unknown, expected: known.join(', '), remedy: `Did you mean \`${near[0]}\`?` },
  )
}
