/**
 * Data sets: rows of CSV, TSV, JSON, Parquet and text files, images, files of tokens, and batches.
 * @module
 */

export type { Batch, BatchSampler } from './batch.ts'
export { BucketedBatches, type BucketedOptions } from './bucketed-batches.ts'
export { openExamples, type StoredExamples, writeExamples } from './examples/example-file.ts'
export {
  type Examples,
  firstExamples,
  type PackedExamples,
  selectExamples,
} from './examples/examples.ts'
export { JoinedExamples } from './examples/joined.ts'
export { Packer, unpackAll } from './examples/pack.ts'
export { type FilesState, hashFiles, stateOfFiles } from './hash-files.ts'
export * from './images/index.ts'
export { isMissing } from './missing.ts'
export { Mistakes } from './mistakes.ts'
export { Prefetch } from './prefetch.ts'
export {
  hashTokenizer,
  type PrepareProgress,
  type PrepareTokensOptions,
  prepareTokens,
  type TokenEncoder,
} from './prepare-tokens.ts'
export { readText } from './read-text.ts'
export { type Line, type LineOptions, readLines } from './readers/lines.ts'
export type { FileFormat, Reader, ReadOptions } from './readers/reader.ts'
export { registerReader } from './readers/registry.ts'
export type { Row, RowSource } from './row.ts'
export { holdsRows, openRows, type RowOptions } from './rows.ts'
export { type SurveyOptions, surveyText, type TextSurvey } from './survey.ts'
export {
  type ColumnSurvey,
  type RowSurvey,
  type Spread,
  surveyRows,
} from './survey-rows.ts'
export { tableText } from './table-text.ts'
export { findTextFiles } from './text-files.ts'
export { type SplitOptions, TokenDataset } from './token-dataset.ts'
export { type HoldOptions, openTokens } from './token-files.ts'
export type { TokenSource } from './token-source.ts'
export {
  RandomWindows,
  type SequentialOptions,
  SequentialWindows,
  type TokenBatch,
  type TokenRows,
  type WindowOptions,
} from './windows.ts'
