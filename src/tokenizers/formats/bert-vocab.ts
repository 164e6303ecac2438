import { specialTokensOf, withConfigTokens } from '../chat/special-tokens.ts'
import { bertSteps, wordPieceJson } from '../train/trained-json.ts'
import { withClassTokens } from './classes.ts'
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'

/**
 * Converts BERT's `vocab.txt`, which has one token per line, to the two files of a tokenizer. A repeated token gets the
 * id of its last line, and empty lines count. `do_lower_case` (default true, as in transformers), `strip_accents` and
 * `tokenize_chinese_chars` of the config apply. Missing special tokens get the next ids.
 */
export function bertVocabFiles(
  text: string,
  config: TokenizerConfig,
): { json: TokenizerJson; config: TokenizerConfig } {
  const tokens = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.trimEnd())
  const vocab = new Map(tokens.map((token, id) => [token, id]))
  const { do_lower_case = true, strip_accents = null, tokenize_chinese_chars = true } = config
  const steps = bertSteps(do_lower_case === true, {
    stripAccents: typeof strip_accents === 'boolean' ? strip_accents : null,
    cutChinese: tokenize_chinese_chars === true,
  })
  const named = withClassTokens(config, 'Bert')
  const added = withConfigTokens([], { vocab }, named)
  const ids = new Map([...vocab, ...added.map(({ content, id }) => [content, id] as const)])
  return {
    json: wordPieceJson(vocab, { ids, names: specialTokensOf(named), steps }),
    config: named,
  }
}
