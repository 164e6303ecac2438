import { HeedError, shown } from '../../util/errors.ts'
import { BERT_NAMES, BERT_TOKENS, bertSteps, wordPieceJson } from '../train/trained-json.ts'
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'

/**
 * Converts BERT's `vocab.txt`, a token per line, to the two files of a tokenizer. `do_lower_case` (default true, as in
 * transformers), `strip_accents` and `tokenize_chinese_chars` of the config apply.
 * @throws HeedError that names the lines of a duplicate token, or the special token that is missing
 */
export function bertVocabFiles(
  text: string,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const tokens = text.replace(/\r?\n$/, '').split(/\r?\n/)
  const lines = new Map<string, number>()
  for (const [i, token] of tokens.entries()) {
    const before = lines.get(token)
    if (before !== undefined)
      throw new HeedError(
        'corrupt-file',
        `Tokens in ${source} must be unique, got ${shown(token)} in lines ${before + 1} and ${i + 1}`,
        { value: token, remedy: 'Remove one of the lines, if no model uses the ids after it.' },
      )
    lines.set(token, i)
  }
  const missing = ['[UNK]', '[CLS]', '[SEP]'].find((token) => !lines.has(token))
  if (missing)
    throw new HeedError(
      'corrupt-file',
      `A vocab.txt of BERT must contain ${missing}, got ${source}`,
      {
        expected: missing,
        remedy: 'Use a vocab.txt of BERT, with a token per line, or a tokenizer.json.',
      },
    )
  const { do_lower_case = true, strip_accents = null, tokenize_chinese_chars = true } = config
  const steps = bertSteps(do_lower_case === true, {
    stripAccents: typeof strip_accents === 'boolean' ? strip_accents : null,
    cutChinese: tokenize_chinese_chars === true,
  })
  const special = BERT_TOKENS.filter((token) => lines.has(token))
  return { json: wordPieceJson(tokens, special, steps), config: { ...BERT_NAMES, ...config } }
}
