import { argumentKinds } from '../../util/argument-kinds.ts'
import { Tokenizer } from '../tokenizer.ts'
import { sentencePieceFiles } from './sentencepiece.ts'
import {
  type TiktokenEncoding,
  type TiktokenName,
  type TiktokenRanks,
  tiktokenFiles,
} from './tiktoken.ts'
import type { TokenizerConfig } from './tokenizer-json.ts'

/** A tokenizer from tiktoken's ranks; the name of an encoding of OpenAI says how words are split. */
export function tokenizerFromTiktoken(
  ranks: TiktokenRanks,
  encoding: TiktokenName | TiktokenEncoding,
): Tokenizer {
  const { json, config } = tiktokenFiles(ranks, encoding)
  return Tokenizer.fromJSON(json, config, 'the tiktoken ranks')
}

const checkTokenizerFromSentencePiece = argumentKinds('tokenizerFromSentencePiece', {
  bytes: 'bytes',
  config: 'object',
  source: 'text',
})

/**
 * A tokenizer from a SentencePiece model (`tokenizer.model`, `spiece.model`), Unigram or BPE.
 * `add_bos_token` and `add_eos_token` of the config add those tokens around texts.
 */
export function tokenizerFromSentencePiece(
  bytes: Uint8Array,
  config: TokenizerConfig = {},
  source = 'the SentencePiece model',
): Tokenizer {
  checkTokenizerFromSentencePiece(bytes, config, source)
  const files = sentencePieceFiles(bytes, config, source)
  return Tokenizer.fromJSON(files.json, files.config, source)
}
