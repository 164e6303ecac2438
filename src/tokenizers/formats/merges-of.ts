/**
 * The merges of a vocabulary that only ranks its tokens: for each token the last pair that joining
 * by rank makes it of. `symbols` are what a token is first made of; lower ranks are joined first.
 */
export function mergesOf(
  ranks: ReadonlyMap<string, number>,
  symbols: (token: string) => string[],
): [left: string, right: string][] {
  const tokens = [...ranks].sort(([, a], [, b]) => a - b)
  const merges: [string, string][] = []
  for (const [token] of tokens) {
    const parts = joinToTwo(symbols(token), ranks)
    if (parts.length === 2 && parts.every((part) => ranks.has(part))) {
      merges.push(parts as [string, string])
    }
  }
  return merges
}

function joinToTwo(parts: string[], ranks: ReadonlyMap<string, number>): string[] {
  const rankAt = (i: number): number => ranks.get(parts[i] + parts[i + 1]) ?? NEVER
  const next: number[] = [] // the rank of each part with the one after it
  for (let i = 0; i + 1 < parts.length; i++) next.push(rankAt(i))
  while (parts.length > 2) {
    let best = 0
    for (let i = 1; i < next.length; i++) if (next[i] < next[best]) best = i
    if (next[best] === NEVER) return parts // no way leads to this token
    parts.splice(best, 2, parts[best] + parts[best + 1])
    next.splice(best, 1)
    if (best > 0) next[best - 1] = rankAt(best - 1)
    if (best < next.length) next[best] = rankAt(best)
  }
  return parts
}

const NEVER = Number.POSITIVE_INFINITY
