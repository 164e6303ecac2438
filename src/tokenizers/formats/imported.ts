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

/**
 * Makes a tokenizer from tiktoken ranks.
 * @param encoding the name of an OpenAI encoding, or a pattern and special tokens
 */
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
 * Makes a tokenizer from a SentencePiece model (`tokenizer.model`, `spiece.model`) of type Unigram or BPE.
 * `add_bos_token` and `add_eos_token` of the config add these tokens around texts.
 * @throws HeedError for a damaged model or another type
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
