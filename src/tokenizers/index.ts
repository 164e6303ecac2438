/**
 * Tokenizers: loading, encoding, decoding, chat templates and training.
 * @module
 */

export { addSpecialTokens, type SpecialTokenOptions } from './chat/add-special-tokens.ts'
export type { ChatMessage, ChatTemplateOptions } from './chat/chat-template.ts'
export type { EncodeChatOptions, EncodedChat } from './chat/encode-chat.ts'
export type { SpecialTokenName, SpecialTokens } from './chat/special-tokens.ts'
export { withChatTemplate } from './chat/templates.ts'
export { AlignedText, mapCharacters, TextRewriter } from './encode/aligned-text.ts'
export type { Batch, PaddingOptions } from './encode/batch.ts'
export type { DecodeStream } from './encode/decode-stream.ts'
export type { Encoding, TruncationOptions, TruncationStrategy } from './encode/encoding.ts'
export type { Pieces } from './encode/pieces.ts'
export {
  registerTokenizerStep,
  type TokenizerStepDefinition,
  type TokenizerStepKind,
  tokenizerStep,
} from './encode/register-step.ts'
export { tokenizerPattern } from './encode/settings.ts'
export type {
  Decoder,
  Normalizer,
  PieceSink,
  PostProcessor,
  PreTokenizer,
  Template,
  TemplateItem,
  Texts,
  TokenIds,
  TokenizerSteps,
  WordModel,
} from './encode/steps.ts'
export type { LoadTokenizerOptions } from './formats/files.ts'
export { tokenizerFromSentencePiece, tokenizerFromTiktoken } from './formats/imported.ts'
export type { TiktokenEncoding, TiktokenName, TiktokenRanks } from './formats/tiktoken.ts'
export type {
  AddedTokenJson,
  ComponentJson,
  TokenizerConfig,
  TokenizerJson,
  TokenSetting,
} from './formats/tokenizer-json.ts'
export {
  type BatchOptions,
  type DecodeStreamOptions,
  type EncodeOptions,
  Tokenizer,
} from './tokenizer.ts'
export {
  type ExtendTokenizerOptions,
  extendTokenizer,
  tokenizerExtender,
} from './train/extend.ts'
export { parseTokenizerSpec, type TokenizerSpec } from './train/spec.ts'
export { tokenPieces } from './train/token-pieces.ts'
export {
  type LearnedType,
  type TokenizerProgress,
  type TokenizerTrainer,
  type TrainTokenizerOptions,
  tokenizerTrainer,
  trainTokenizer,
} from './train/train.ts'
