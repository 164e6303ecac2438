import { HeedError } from '../../util/errors.ts'
import { BERT_NAMES, BERT_TOKENS, bertSteps, wordPieceJson } from '../train/trained-json.ts'
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'

/**
 * BERT's `vocab.txt`, one token a line, as the contents of the two files of a tokenizer. The config's
 * `do_lower_case` (by default true, as in transformers), `strip_accents` and `tokenize_chinese_chars` count.
 * @throws HeedError that names the line of a token that is there twice, or the special token that is missing
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
        `${source} has '${token.slice(0, 60)}' in lines ${before + 1} and ${i + 1}`,
      )
    lines.set(token, i)
  }
  const missing = ['[UNK]', '[CLS]', '[SEP]'].find((token) => !lines.has(token))
  if (missing)
    throw new HeedError('corrupt-file', `${source} is no vocabulary of BERT: it lacks ${missing}`, {
      remedy: 'Give a vocab.txt with one token a line, or a tokenizer.json.',
    })
  const { do_lower_case = true, strip_accents = null, tokenize_chinese_chars = true } = config
  const steps = bertSteps(do_lower_case === true, {
    stripAccents: strip_accents as boolean | null,
    cutChinese: tokenize_chinese_chars === true,
  })
  const special = BERT_TOKENS.filter((token) => lines.has(token))
  return { json: wordPieceJson(tokens, special, steps), config: { ...BERT_NAMES, ...config } }
}
