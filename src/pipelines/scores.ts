/** Computes exp(x) / Σ exp(x), without overflow. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const scores = Float64Array.from(logits)
  const top = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  let sum = 0
  for (let i = 0; i < scores.length; i++) sum += scores[i] = Math.exp(scores[i] - top)
  return scores.map((score) => score / sum)
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The indices of the k largest values, in descending order; for equal values, the lower index first. */
export function topIndices(scores: ArrayLike<number>, k: number): number[] {
  const best: number[] = []
  for (let i = 0; i < scores.length; i++) {
    if (best.length === k && !(scores[i] > scores[best[k - 1]])) continue
    let at = best.length
    while (at > 0 && scores[i] > scores[best[at - 1]]) at--
    best.splice(at, 0, i)
    if (best.length > k) best.pop()
  }
  return best
}

export const indexOfMax = (scores: ArrayLike<number>): number => topIndices(scores, 1)[0]

/** Converts the logits of labels to scores, depending on the `problem_type` of the model's config. */
export function labelScores(logits: ArrayLike<number>, { config }: { config: unknown }): number[] {
  const { problem_type: problem } = config as { problem_type?: string | null }
  if (problem === 'regression') return Array.from(logits)
  const areApart = problem === 'multi_label_classification' || logits.length === 1
  return areApart ? Array.from(logits, sigmoid) : Array.from(softmax(logits))
}
