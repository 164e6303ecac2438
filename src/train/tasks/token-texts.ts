import type { Tokenizer } from '../../tokenizers/index.ts'

/** The text of each token, with its spaces. A character of several tokens belongs to the last of them. */
export function tokenTexts(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const stream = tokenizer.decodeStream()
  return ids.map((id, i) => stream.push(id) + (i === ids.length - 1 ? stream.end() : ''))
}
