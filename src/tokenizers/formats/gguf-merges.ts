/**
 * Converts scores to merges. SentencePiece's BPE has scores instead of merges: it joins the neighbours that form the
 * token with the best score. The equivalent merges are all splits of each token into two tokens, sorted by the score of
 * the token. `written` states which tokens represent text.
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

/** Positions between the characters of a token. Very long tokens would have too many splits. */
function cuts(token: string): number[] {
  if (token.length > LONGEST) return []
  const places: number[] = []
  for (let at = 1; at < token.length; at++) {
    const code = token.charCodeAt(at)
    if (code < 0xdc00 || code > 0xdfff) places.push(at) // not within a surrogate pair
  }
  return places
}

const LONGEST = 1024
