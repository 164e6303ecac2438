// The page of file formats, from the schemas with which Heed reads the files.
import { z } from 'zod'
import { hashesSchema } from '../../src/io/files/hashes.ts'
import { commonSchema } from '../../src/train/config-schema.ts'
import { metricsSchema } from '../../src/train/metrics-file.ts'
import { runFileSchema, trainerStateSchema } from '../../src/train/run-folder.ts'
import { taskFileSchema } from '../../src/train/task-file.ts'
import { taskDefinitions } from '../../src/train/tasks/index.ts'
import { code, page, plain, table } from './markdown.ts'
import { defaultOf, innermost, typeOf } from './schema.ts'

/** The files of a run folder. test/docs/reference.test.ts compares them with those of runs. */
export const RUN_FILES: Readonly<Record<string, string>> = {
  'config.json': 'config of the model, as in transformers',
  'model.safetensors': 'weights of the newest checkpoint',
  'tokenizer.json': 'tokenizer; images have `preprocessor_config.json` instead',
  'tokenizer_config.json': 'settings of the tokenizer',
  'run.json': 'configuration, written when the run starts',
  'task.json': 'task, for `heed eval`, `heed predict` and `openRun`',
  'metrics.jsonl': 'metrics, one line for each logged step',
  'hashes.json': 'SHA-256 of these files, for `heed verify`',
  'best/':
    'model with the lowest validation loss: a folder that transformers opens, with `task.json` and `hashes.json`',
  'checkpoints/step-NNNNNN/': 'the two newest checkpoints',
  'checkpoints/step-NNNNNN/model.safetensors': 'weights',
  'checkpoints/step-NNNNNN/optimizer.safetensors': "state of the optimizer under PyTorch's names",
  'checkpoints/step-NNNNNN/trainer_state.json': 'state of the run',
  'checkpoints/step-NNNNNN/checkpoint.json':
    'step, sequence number, and the size and SHA-256 of the other files',
}

export const filesPage = (): string =>
  page(
    'Files of a training run',
    'What `heed train --out RUN` writes, and the configuration that it reads. Every file is written under a temporary name and then renamed. A checkpoint becomes visible with one rename of its folder.',
    '## Run folder',
    'A run is a Hugging Face folder, which transformers opens at any time during the training. `report.html` is added by `heed report`.',
    table(
      ['file', 'description'],
      Object.entries(RUN_FILES).map(([name, about]) => [code(name), about]),
    ),
    '## task.json',
    fields(taskFileSchema),
    '`facts` by task:',
    table(['task', 'facts'], factRows()),
    '## trainer_state.json',
    'The state of a run except tensors. With it, a resumed run computes the same bits as an uninterrupted one.',
    fields(trainerStateSchema),
    '## run.json',
    fields(runFileSchema),
    '## metrics.jsonl',
    'One JSON object in each line. Lines of training steps have `loss`, lines of evaluations `val_loss`.',
    fields(metricsSchema),
    '## hashes.json',
    'Lets Heed detect changed bits when it opens the folder. `heed verify RUN` checks all files.',
    fields(hashesSchema),
    '## Training configuration',
    'The keys of `heed train --config FILE`, of `parseTrainConfig`, and of `config` in `run.json` and `trainer_state.json`. Flags have the same names in kebab-case: `valData` is `--val-data`. The task and the optimizer add [their own keys](commands/train.md).',
    table(
      ['key', 'type', 'default', 'description'],
      Object.entries(commonSchema.shape).map(([key, schema]) => [code(key), typeOf(schema), defaultOf(schema), plain(schema.description ?? '')]), // biome-ignore format: one line
    ),
  )

/** A table of the keys of an object, with those of objects in it. */
const fields = (schema: z.ZodObject): string =>
  table(['key', 'type', 'description'], fieldRows(schema, ''))

function fieldRows(schema: z.ZodObject, prefix: string): string[][] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, value]) => {
    const name = prefix + key
    const inner = innermost(value)
    const below =
      inner instanceof z.ZodObject
        ? fieldRows(inner, `${name}.`)
        : inner instanceof z.ZodRecord && inner.valueType instanceof z.ZodObject
          ? fieldRows(inner.valueType, `${name}.*.`)
          : []
    return [[code(name), typeOf(value), plain(value.description ?? '')], ...below]
  })
}

function factRows(): string[][] {
  const withFacts = taskDefinitions().filter(({ facts }) => Object.keys(facts.shape).length > 0)
  return withFacts.map(({ name, facts }) => [code(name), Object.entries<z.ZodType>(facts.shape).map(([key, schema]) => `${code(key)}: ${typeOf(schema)}`).join('; ')]) // biome-ignore format: one line
}
