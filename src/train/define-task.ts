import { z } from 'zod'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import type { DataSetup, NewTask, Preprocessor, TaskDefinition } from './task.ts'
import { textTokenizer, vocabularyConfig } from './tasks/text-tokenizer.ts'

/** Completes a task with defaults, which suit tasks on text that use the tokenizer of the model. */
export function defineTask<O, F, P extends Preprocessor>(
  task: NewTask<O, F, P>,
): TaskDefinition<O, F, P> {
  return {
    options: z.object({}),
    facts: z.object({}),
    defaults: {},
    tuningDefaults: {},
    adapterDefaults: {},
    isAlignment: false,
    keepsExamples: true,
    isObjective: task.isAlignment ?? false,
    publishedOptions: {},
    columnKeys: [],
    inputColumn: () => 'text',
    survey: async () => ({}) as F,
    preprocessor: async (setup) => (await newTokenizer(task, setup)) as P,
    openPreprocessor: async (folder) => (await openTokenizer(folder)) as P,
    modelConfig: () => ({}),
    newModelConfig: ({ preprocessor, modelType }) => vocabularyOf(preprocessor, modelType),
    ...task,
  }
}

function vocabularyOf(preprocessor: Preprocessor, modelType: string): Record<string, unknown> {
  return preprocessor instanceof Tokenizer ? vocabularyConfig(preprocessor, modelType) : {}
}

const openTokenizer = (folder: string): Promise<Preprocessor> => Tokenizer.fromFile(folder)

function newTokenizer<O, F, P extends Preprocessor>(
  { name, texts }: NewTask<O, F, P>,
  setup: DataSetup<O>,
): Promise<Preprocessor> {
  if (texts) return textTokenizer(setup as DataSetup, (row) => texts(row, setup.options))
  if (setup.from !== undefined) return Tokenizer.fromFile(setup.from)
  throw new HeedError(
    'unsupported',
    `The task '${name}' must have \`texts\` or a \`preprocessor\``,
    {
      key: 'task',
      value: name,
      remedy: 'Define one of them, or fine-tune a model that has a tokenizer (`from`).',
    },
  )
}
