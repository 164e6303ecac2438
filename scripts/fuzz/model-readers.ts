// Readers of models and runs: their settings, with their weights.
import { join } from 'node:path'
import { latestCheckpoint } from '../../src/io/files/checkpoint.ts'
import { hashFile } from '../../src/io/files/hashes.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { checkFiles } from '../../src/io/files/verify.ts'
import { fromPretrained, headOf, readModelConfig, SentenceEncoder } from '../../src/models/index.ts'
import { openRun, parseTrainConfig, RunFolder } from '../../src/train/index.ts'
import { attempt } from './attempt.ts'
import type { FuzzReader, Sample } from './input.ts'
import {
  families,
  fixtureJson,
  folderSample,
  jsonFile,
  modelFolders,
  samplesOf,
} from './samples.ts'

async function openModel(path: string): Promise<void> {
  const config = await readModelConfig(path)
  const model = await fromPretrained(path, headOf(config))
  for (const parameter of model.parameters().slice(0, 1)) await parameter.data()
}

const runFolders = ['text', 'classification', 'tagging', 'translation', 'images', 'masked-lm']

/** Runs of an older version, which have no hashes. */
const runSamples = (changed: readonly string[]): Sample[] =>
  runFolders.map((name) => folderSample(`old-runs/${name}`, changed))

const TRAIN_CONFIG = {
  model: 'gpt2',
  data: ['a.txt'],
  steps: 100,
  batch: 8,
  lr: 1e-3,
  schedule: 'cosine',
  optimizer: 'adamw',
  weightDecay: 0.1,
  seed: 1,
  tokenizer: 'bpe:300',
}

export const modelReaders: readonly FuzzReader[] = [
  {
    name: 'config',
    samples: () => modelFolders(families()).map((path) => folderSample(path, ['config.json'])),
    read: openModel,
  },
  {
    name: 'generation-folder',
    samples: () =>
      ['t5/tied', 'heads/bert/causal', 'marian/shared'].map((path) =>
        folderSample(path, ['generation_config.json']),
      ),
    read: openModel,
  },
  {
    name: 'gguf-model',
    samples: () =>
      samplesOf(
        ['llama', 'qwen2', 'gemma', 'gpt2', 'bert', 'phi3'].map((name) => `gguf/${name}.gguf`),
        'model.gguf',
      ),
    read: (folder) => openModel(join(folder, 'model.gguf')),
  },
  {
    name: 'sentence-encoder',
    samples: () =>
      ['mean', 'several'].map((name) => {
        const sample = folderSample(`sentences/${name}`)
        const changed = Object.keys(sample.files).filter((path) => path.endsWith('.json'))
        return { ...sample, changed }
      }),
    read: async (folder) => (await SentenceEncoder.fromPretrained(folder)).embed(['a whale']),
  },
  {
    name: 'run',
    samples: () => runSamples(['task.json', 'config.json', 'tokenizer_config.json', 'run.json']),
    read: async (folder) => {
      await attempt(() => checkFiles(folder))
      const { task, model } = await openRun(folder)
      return void [task, model]
    },
  },
  {
    name: 'run-hashes',
    samples: () => [
      {
        files: {
          'config.json': jsonFile({ model_type: 'gpt2' }),
          'run.json': jsonFile({ config: TRAIN_CONFIG }),
          'hashes.json': jsonFile({
            files: { 'config.json': { sha256: 'a'.repeat(64) }, 'run.json': { sha256: 'b'.repeat(64), bytes: 4 } }, // biome-ignore format: one line
          }),
        },
      },
    ],
    read: async (folder) => {
      await attempt(() => checkFiles(folder))
      await attempt(() => new RunFolder(folder).configuration())
      return hashFile(join(folder, 'run.json'), 10)
    },
  },
  {
    name: 'checkpoint',
    samples: () =>
      runSamples(
        ['checkpoint.json', 'trainer_state.json'].map((name) => `checkpoints/step-000040/${name}`),
      ),
    read: async (folder) => {
      await attempt(() => latestCheckpoint(folder))
      return new RunFolder(folder).latest()
    },
  },
  {
    name: 'train-config',
    samples: () => [
      { files: { 'train.json': jsonFile(TRAIN_CONFIG) } },
      ...runFolders.map((name) => {
        const path = `old-runs/${name}/checkpoints/step-000040/trainer_state.json`
        return { files: { 'train.json': jsonFile(fixtureJson(path).config) } }
      }),
    ],
    read: async (folder) => {
      const path = join(folder, 'train.json')
      return parseTrainConfig(await readJsonObject(path), path)
    },
  },
]
