import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GPT2, savePretrained } from '../../../src/models/index.ts'
import { trainTokenizer } from '../../../src/tokenizers/index.ts'
import { checkBatch } from '../../../src/train/align/kto.ts'
import { roomForPrompts } from '../../../src/train/align/prompts.ts'
import { parseTrainConfig } from '../../../src/train/config.ts'
import { everyNth } from '../../../src/train/distill/every-nth.ts'
import { type FewShotOptions, fewShot } from '../../../src/train/few-shot/few-shot.ts'
import { newTaskModel } from '../../../src/train/task-model.ts'
import { trainOnly } from '../../../src/train/trained-part.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import { temporaryFolder } from '../../io/temporary-folder.ts'
import type { RemedyCase } from './case.ts'

const encoder = join(FIXTURES, 'pipelines/encoder')
const data = [fileURLToPath(new URL('./text.txt', import.meta.url))]

/** Builds the model, too: a size may fit the configuration and not the architecture. */
const modelOf =
  (model: string, sizes: object): RemedyCase['run'] =>
  async (changes) => {
    const config = parseTrainConfig({
      model,
      data,
      layers: 1,
      tokenizer: 'char',
      ...sizes,
      ...changes,
    })
    await newTaskModel(config)
  }

const sizes = [
  { heads: 3, dim: 128 },
  { heads: 4, dim: 6 },
  { heads: 2, dim: 129 },
  { heads: 4, dim: 3 },
]

const gpt2 = () => new GPT2({ vocab_size: 5, n_positions: 4, n_embd: 4, n_layer: 2, n_head: 2 })

const shot = { prompt: '1', answer: '2' }
const evaluated = (options: FewShotOptions) =>
  fewShot(new GPT2({ vocab_size: 60, n_positions: 64, n_embd: 4, n_layer: 1, n_head: 1 }), trainTokenizer(['12 '], { type: 'char' }), [shot, shot, shot], { shots: [0], ...options }) // biome-ignore format: one line

export const trainCases: RemedyCase[] = [
  {
    site: 'src/train/few-shot/few-shot.ts#checkFewShot',
    about: 'draws',
    run: ({ draws = -1 }) => evaluated({ draws: Number(draws) }),
  },
  {
    site: 'src/train/few-shot/few-shot.ts#checkFewShot',
    about: 'batchSize',
    run: ({ batchSize = 0 }) => evaluated({ batchSize: Number(batchSize) }),
  },
  {
    site: 'src/train/few-shot/few-shot.ts#checkShots',
    about: 'a negative number',
    run: ({ shots = -1 }) => evaluated({ shots: [Number(shots)] }),
  },
  {
    site: 'src/train/few-shot/few-shot.ts#checkShots',
    about: 'too many',
    run: ({ shots = 3 }) => evaluated({ shots: [Number(shots)] }),
  },
  ...['gpt2', 'llama', 'gemma', 'bert', 'distilbert'].flatMap((model) =>
    sizes.map((size) => ({
      site: 'src/train/config.ts#checkSize',
      about: `${model} ${JSON.stringify(size)}`,
      run: modelOf(model, size),
    })),
  ),
  {
    site: 'src/train/task-model.ts#modelTypeOf',
    run: (changes) =>
      newTaskModel(
        parseTrainConfig({ model: 'gpt2', task: 'fill-mask', data, from: encoder, ...changes }),
      ),
  },
  {
    site: 'src/train/tasks/tokenizer-of-text.ts#tooMany',
    run: async ({ extendTokenizer = 9999 }) => {
      const from = await temporaryFolder()
      const tokenizer = trainTokenizer(['to be or not'], { type: 'bpe', vocabSize: 258 })
      const model = new GPT2({ vocab_size: tokenizer.vocabSize, n_positions: 4, n_embd: 4, n_layer: 1, n_head: 2 }) // biome-ignore format: one line
      await savePretrained(model, from, { tokenizer })
      await newTaskModel(parseTrainConfig({ data, from, extendTokenizer }))
    },
  },
  {
    site: 'src/util/schema-issues.ts#unfitValue',
    run: (changes) => parseTrainConfig({ data, schedule: 'cosin', ...changes }),
  },
  {
    site: 'src/train/align/kto.ts#checkBatch',
    run: ({ batch = 1 }) => checkBatch(Number(batch)),
  },
  {
    site: 'src/train/align/prompts.ts#roomForPrompts',
    run: ({ maxNewTokens = 16 }) => roomForPrompts(16, Number(maxNewTokens)),
  },
  {
    site: 'src/train/distill/every-nth.ts#everyNth',
    run: ({ every = 1 }) => everyNth(gpt2(), 'gpt2', 'causal-lm', Number(every)),
  },
  {
    site: 'src/train/trained-part.ts#trainOnly',
    run: ({ train = 'head' }) => trainOnly(gpt2(), String(train)),
  },
  {
    site: 'src/train/trained-part.ts#topOf',
    run: ({ train = 'top:3' }) => trainOnly(gpt2(), String(train)),
  },
]
