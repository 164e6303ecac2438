// Regular expressions for paths of layers. They come from files too, so they are matched in linear time.
import { boundedPattern } from '../tokenizers/patterns/bounded-regexp.ts'
import { HeedError, shown } from '../util/errors.ts'

const cache = new Map<string, RegExp>()

/**
 * Whether an expression matches the whole path.
 * @throws HeedError for an expression that is invalid or has back-references
 */
export function matchesWhole(source: string, path: string): boolean {
  let pattern = cache.get(source)
  if (!pattern) {
    pattern = compile(source)
    cache.set(source, pattern)
  }
  pattern.lastIndex = 0
  // Line feeds take the place of anchors, which the matcher does not have; paths and `.` have none.
  return pattern.test(`\n${path}\n`)
}

function compile(source: string): RegExp {
  const inner = source.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  let pattern: RegExp | undefined
  try {
    pattern = boundedPattern(new RegExp(`\n(?:${inner})\n`, 'u'))
  } catch {
    pattern = undefined
  }
  if (pattern) return pattern
  throw new HeedError(
    'invalid-option',
    `A pattern for layers must be a regular expression without back-references and inner anchors, got ${shown(source)}`,
    { key: 'targets', value: source, remedy: 'List the names of the layers instead.' },
  )
}

/**
 * The value for a layer in peft's `rank_pattern` or `alpha_pattern`, whose keys are expressions for the end of the path.
 */
export function patternValue(
  patterns: Readonly<Record<string, number>>,
  { path, peftPath }: { readonly path: string; readonly peftPath: string },
): number | undefined {
  const fits = (pattern: string): boolean =>
    [path, peftPath].some((name) =>
      matchesWhole(`(?:.*\\.)?(?:${pattern.replace(/^\^/, '')})`, name),
    )
  const key = Object.keys(patterns).find(fits)
  return key === undefined ? undefined : patterns[key]
}
