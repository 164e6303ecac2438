export { addSpecialTokens, type SpecialTokenOptions } from './add-special-tokens.ts'
export type { Batch, PaddingOptions } from './batch.ts'
export type { ChatMessage, ChatTemplateOptions } from './chat-template.ts'
export type { DecodeStream } from './decode-stream.ts'
export type { Encoding, TruncationOptions, TruncationStrategy } from './encoding.ts'
export { tokenizerFromSentencePiece, tokenizerFromTiktoken } from './imported.ts'
export { parseTokenizerSpec, type TokenizerSpec } from './spec.ts'
export type { SpecialTokens } from './special-tokens.ts'
export type { TiktokenEncoding, TiktokenName, TiktokenRanks } from './tiktoken.ts'
export { type BatchOptions, type EncodeOptions, Tokenizer } from './tokenizer.ts'
export type { TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'
export {
  type TokenizerProgress,
  type TokenizerTrainer,
  type TrainTokenizerOptions,
  tokenizerTrainer,
  trainTokenizer,
} from './train.ts'
