/**
 * Computes the merges of a vocabulary that has only ranks: for each token, the final pair when its symbols are joined
 * in order of rank. `symbols` returns the initial tokens of a token.
 */
export function mergesOf(
  ranks: ReadonlyMap<string, number>,
  symbols: (token: string) => string[],
): [left: string, right: string][] {
  const tokens = [...ranks].sort(([, a], [, b]) => a - b)
  const merges: [string, string][] = []
  for (const [token] of tokens) {
    const [left, right, ...rest] = joinToTwo(symbols(token), ranks)
    if (right === undefined || rest.length > 0) continue
    if (ranks.has(left) && ranks.has(right)) merges.push([left, right])
  }
  return merges
}

function joinToTwo(pieces: string[], ranks: ReadonlyMap<string, number>): string[] {
  const rankAt = (i: number): number => ranks.get(pieces[i] + pieces[i + 1]) ?? NEVER
  const next: number[] = [] // rank of each piece joined with the next
  for (let i = 0; i + 1 < pieces.length; i++) next.push(rankAt(i))
  while (pieces.length > 2) {
    let best = 0
    for (let i = 1; i < next.length; i++) if (next[i] < next[best]) best = i
    if (next[best] === NEVER) return pieces // this token cannot be formed
    pieces.splice(best, 2, pieces[best] + pieces[best + 1])
    next.splice(best, 1)
    if (best > 0) next[best - 1] = rankAt(best - 1)
    if (best < next.length) next[best] = rankAt(best)
  }
  return pieces
}

const NEVER = Number.POSITIVE_INFINITY
