export {
  hashTokenizer,
  type PrepareProgress,
  type PrepareTokensOptions,
  prepareTokens,
  type TokenEncoder,
} from './prepare-tokens.ts'
export { readText } from './read-text.ts'
export { surveyText, type TextSurvey } from './survey.ts'
export { findTextFiles } from './text-files.ts'
export { type SplitOptions, TokenDataset } from './token-dataset.ts'
export { openTokens } from './token-files.ts'
export {
  type BatchSampler,
  RandomWindows,
  SequentialWindows,
  type TokenBatch,
  type WindowOptions,
} from './windows.ts'
