import type { Pipeline } from '../formats/read-json.ts'
import type { AddedTokenJson } from '../formats/tokenizer-json.ts'

/** Whether a text can be encoded in parts that are cut between a word and the white space after it. */
export function cutsAtSpaces(
  { normalizer, preTokenizer, model, postProcessor }: Pipeline,
  added: readonly AddedTokenJson[],
): boolean {
  const splits = preTokenizer ? preTokenizer.splitsAtSpaces : model.splitsCharacters
  if (!splits || normalizer || postProcessor.template) return false
  return added.every(({ content, lstrip, rstrip }) => !lstrip && !rstrip && !/\s/.test(content))
}
