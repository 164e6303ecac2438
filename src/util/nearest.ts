/** Sorts candidates by similarity to `name`. Case, `_` and `-` are ignored, and `learningRate` is similar to `lr`. */
export function nearestFirst(name: string, candidates: Iterable<string>): string[] {
  const start = letters(name)
  const short = initials(name)
  return [...candidates]
    .map((candidate) => ({
      candidate,
      distance: candidate === short ? 0 : editDistance(start, letters(candidate)),
    }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate)
}

/** The candidate that `name` is probably a misspelling of: at most one letter in four differs. */
export function misspelled(name: string, candidates: Iterable<string>): string | undefined {
  const [nearest] = nearestFirst(name, candidates)
  if (nearest === undefined) return undefined
  const [given, meant] = [letters(name), letters(nearest)]
  return editDistance(given, meant) <= meant.length / 4 ? nearest : undefined
}

const letters = (name: string): string =>
  name.slice(0, LONGEST).toLowerCase().replaceAll(/[_-]/g, '')

/** The first letters of the words of `learningRate`, `learning_rate` or `learning-rate`. */
const initials = (name: string): string => {
  const words = name.slice(0, LONGEST).match(/[A-Z]?[a-z]+/g) ?? []
  return words.length > 1 ? words.map(([letter]) => letter.toLowerCase()).join('') : ''
}

/** Number of letters to insert, delete or replace (Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, changed))
    }
    row = next
  }
  return row[b.length]
}

const LONGEST = 200 // letters; names from files may have any length
