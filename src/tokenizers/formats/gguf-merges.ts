/**
 * SentencePiece's BPE has scores instead of merges: it joins the neighbours that together have the best score. As
 * merges these are all ways to form each token from two others, the best token first. `written` says which tokens
 * stand for text.
 */
export function mergesOfScores(
  tokens: readonly string[],
  scores: readonly number[],
  written: (id: number) => boolean,
): [left: string, right: string][] {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const usable = (text: string): boolean => {
    const id = ids.get(text)
    return id !== undefined && written(id)
  }
  return tokens
    .map((_, id) => id)
    .filter(written)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .flatMap((id) =>
      cuts(tokens[id])
        .map((at): [string, string] => [tokens[id].slice(0, at), tokens[id].slice(at)])
        .filter(([left, right]) => usable(left) && usable(right)),
    )
}

/** The positions between a token's characters. A very long token would have too many pairs. */
function cuts(token: string): number[] {
  if (token.length > LONGEST) return []
  const places: number[] = []
  for (let at = 1; at < token.length; at++) {
    const code = token.charCodeAt(at)
    if (code < 0xdc00 || code > 0xdfff) places.push(at) // not within a pair of surrogates
  }
  return places
}

const LONGEST = 1024
