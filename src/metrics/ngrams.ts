// Counts of word and character n-grams.

/** White space as in Python, because scores must match those of Python packages. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python splits at these characters
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u

export const splitWords = (text: string): string[] => text.split(SPACE).filter(Boolean)

/** Counts n-grams. */
export function countNgrams(
  items: readonly string[],
  n: number,
  separator: string,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i + n <= items.length; i++) {
    const ngram = n === 1 ? items[i] : items.slice(i, i + n).join(separator)
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1)
  }
  return counts
}

/** Number of shared n-grams, with multiplicity. */
export function sharedNgrams(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): number {
  let shared = 0
  for (const [ngram, count] of a) shared += Math.min(count, b.get(ngram) ?? 0)
  return shared
}
