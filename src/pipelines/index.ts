/**
 * A model with its tokenizer as one function, by task, as in transformers.js.
 * @module
 */

export type { Embedder, EmbedOptions } from './feature-extraction.ts'
export type { Filled, FillMask, FillOptions } from './fill-mask.ts'
export type { HubModelOptions, PipelineOptions, TransformersProgress } from './hub-model.ts'
export type {
  ClassifyImageOptions,
  ImageClassification,
  ImageInput,
} from './image-classification.ts'
export {
  type ModelWithProcessor,
  type ModelWithTokenizer,
  type Pipelines,
  type PipelineTask,
  pipeline,
  taskNames,
} from './pipeline.ts'
export type { Answer, AnswerOptions, QuestionAnswering } from './question-answering.ts'
export type { ClassifyOptions, Label, TextClassification } from './text-classification.ts'
export type { BatchOptions, TextInput, TruncateOptions } from './text-examples.ts'
export type { Conversation, TextGeneration, WriteTextOptions, Written } from './text-generation.ts'
export type {
  Summarization,
  TextToText,
  TextToTextOptions,
  TextToTextSource,
  Translation,
} from './text2text-generation.ts'
export type {
  Aggregation,
  Entity,
  EntityGroup,
  TagOptions,
  TokenClassification,
} from './token-classification.ts'
