import { type Candidates, drawFrom, total } from '../candidates.ts'
import type { Draft } from './drafter.ts'

/**
 * Accepts the draft with probability min(1, p/q), otherwise draws from max(0, p - q). The token has the distribution p for
 * any draft (Leviathan et al., 2023, section 2.3 and appendix A.1).
 */
export function acceptOrDraw(
  p: Candidates,
  draft: Draft,
  random: () => number,
): { token: number; accepted: boolean } {
  const q = draft.from ?? certain(draft.token)
  const ratio = probability(p, draft.token) / probability(q, draft.token)
  if (random() < ratio) return { token: draft.token, accepted: true }
  return { token: drawFrom(excess(p, q), random()), accepted: false }
}

const certain = (token: number): Candidates => ({
  tokens: Int32Array.of(token),
  weights: Float64Array.of(1),
})

function probability(from: Candidates, token: number): number {
  const at = from.tokens.indexOf(token)
  return at < 0 ? 0 : from.weights[at] / total(from)
}

/** Computes max(0, p - q) over the tokens of p. Both list their tokens in ascending order. */
function excess(p: Candidates, q: Candidates): Candidates {
  const [sizeP, sizeQ] = [total(p), total(q)]
  const weights = new Float64Array(p.tokens.length)
  let at = 0
  for (let i = 0; i < weights.length; i++) {
    while (at < q.tokens.length && q.tokens[at] < p.tokens[i]) at++
    const other = q.tokens[at] === p.tokens[i] ? q.weights[at] / sizeQ : 0
    weights[i] = Math.max(0, p.weights[i] / sizeP - other)
  }
  // If no weight is positive, p and q are equal up to rounding.
  return weights.some((weight) => weight > 0) ? { tokens: p.tokens, weights } : p
}
