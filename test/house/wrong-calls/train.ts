// `heed/train`: runs are copies of one that an earlier version wrote.
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRows, RandomWindows, TokenDataset } from '../../../src/data/index.ts'
import { tensor } from '../../../src/index.ts'
import { GPT2 } from '../../../src/models/index.ts'
import { Linear } from '../../../src/nn/index.ts'
import { SGD } from '../../../src/optim/index.ts'
import { trainTokenizer } from '../../../src/tokenizers/index.ts'
import * as train from '../../../src/train/index.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import { type Argument, type Sample, samplesOf } from './damage.ts'

const scratch = mkdtempSync(join(tmpdir(), 'heed-wrong-calls-'))
const none = join(scratch, 'none')
const run = join(scratch, 'run')
cpSync(join(FIXTURES, 'old-runs', 'classification'), run, { recursive: true })
const data = join(FIXTURES, 'old-runs', 'data', 'labels.jsonl')
const text = join(scratch, 'text.txt')
writeFileSync(text, 'to be or not to be, that is the question\n'.repeat(20))
const empty = join(scratch, 'empty')
mkdirSync(empty)

const notText = [undefined, null, 3, Number.NaN, {}, [3], true]
const dir: Argument = { value: run, wrong: [...notText, none, empty, data, 'a\0b'] }
const notSizes = ['x', 0, 1.5, -1, Number.NaN]
const row = { values: { text: 'to be', label: 'a', scores: [1] }, file: 'a', number: 1 }
const notRows = [undefined, null, 3, 'x', {}, { values: 3 }]
const column: Argument = { value: 'text', wrong: [undefined, null, 3, {}, 'words', '__proto__'] }
const labels: Argument = { value: ['a', 'b'], wrong: [undefined, null, 3, 'x', {}] }
const source = await openRows(data)
const tokenizer = trainTokenizer(['to be or not to be'], { type: 'char' })
const opened = await train.openRun(run)

const shot = { prompt: 'to', answer: 'be' }
const notShots = [
  undefined,
  null,
  3,
  'x',
  {},
  [3],
  [],
  [{ prompt: 'to' }],
  [{ ...shot, answer: ' ' }],
]
const logits = tensor([[1, 2]])
const ones = tensor([1, 1])
const zero = tensor(0)
const rollouts = { policy: logits, advantages: tensor([1]), counted: logits }
const teacher = new GPT2({ vocab_size: 5, n_positions: 4, n_embd: 4, n_head: 1, n_layer: 2 })

const results = {
  labels: ['a', 'b'],
  multiLabel: false,
  scores: [[0.9, 0.1]],
  expected: [[0]],
  texts: ['to be'],
  show: 1,
}
const batch = {
  input_ids: tensor([[1, 2]], { dtype: 'i32' }),
  lengths: tensor([2], { dtype: 'i32' }),
}
const running = {
  batching: {
    length: () => 1,
    collate: () => ({ x: { data: Float32Array.of(1), shape: [1, 1] } }),
  },
  model: new Linear(1, 1),
  batchSize: 1,
  forward: ({ x }: train.BatchTensors) => [x],
  read: () => 1,
}
const task: train.NewTask = {
  name: 'wrong-calls',
  about: 'a task',
  columns: 'none',
  head: () => 'encoder',
  create: () => opened.task,
}

const linear = new Linear(1, 1)
const windows = new RandomWindows(TokenDataset.fromIds([1, 2, 3], { vocabSize: 4 }), {
  batchSize: 1,
  contextLength: 1,
})
const training = {
  model: linear,
  loss: () => linear.forward(tensor([[1]])).sum(),
  optimizer: new SGD(linear.parameters(), { lr: 0.1 }),
  schedule: () => 1,
  batches: windows,
}
const config = train.parseTrainConfig({ data: [text], steps: 1, layers: 1, heads: 1, dim: 8, context: 8, batch: 1 }) // biome-ignore format: one line
const wrongTables = [{ seperator: ',' }, { separator: 3 }, { quote: 3 }, { encoding: 3 }]

/** A run whose model judges, of random weights. */
async function judgeRun(): Promise<string> {
  const rows = join(scratch, 'rated.jsonl')
  const lines = [0, 1].map((safe) => JSON.stringify({ context: 'to', response: 'be', safe }))
  writeFileSync(rows, lines.join('\n'))
  const keys = { task: 'lamda', tokenizer: 'char', layers: 1, heads: 1, dim: 8, context: 64 }
  const small = train.parseTrainConfig({ ...keys, data: [rows], steps: 1, batch: 2 })
  await train.trainModel({ config: small, out: join(scratch, 'judge') })
  return join(scratch, 'judge')
}

export const functions: Record<string, readonly Argument[]> = {
  RunFolder: [{ value: run, wrong: notText }],
  TextTask: [{ value: { preprocessor: tokenizer }, wrong: [undefined, null, 3, 'x'] }],
  Trainer: [
    {
      value: training,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...training, scheduler: () => 1 }],
        ...['model', 'loss', 'optimizer', 'schedule', 'batches'].flatMap((key) =>
          [undefined, null, 3, 'x', {}].map((wrong) => ({ ...training, [key]: wrong })),
        ),
        ...notSizes.map((wrong) => ({ ...training, accumulate: wrong })),
        { ...training, gradient_accumulation_steps: 2 },
        { ...training, start: -1 },
        { ...training, start: 'x' },
        { ...training, contrastive: {} },
        { ...training, itemCounts: 3 },
        { ...training, sliceBatch: 'x' },
      ],
    },
  ],
  encodeRows: [
    { value: opened.task, wrong: [undefined, null, 3, 'x', {}] },
    { value: source, wrong: [undefined, null, 3, 'x', {}, [], [row]] },
    {
      value: {},
      wrong: [null, 3, 'x', { onRow: () => {} }, { onRows: 3 }, { signal: 'x' }, { signal: {} }],
    },
  ],
  encoderInputs: [
    {
      value: batch,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { input_ids: batch.input_ids }],
        { ...batch, lengths: [2] },
        { ...batch, token_type_ids: 3 },
      ],
    },
  ],
  cosineDistance: [
    { value: logits, wrong: [undefined, null, 3, 'x', {}] },
    { value: logits, wrong: [undefined, null, 3, 'x', {}] },
  ],
  divergence: [
    { value: logits, wrong: [undefined, null, 3, 'x', {}] },
    { value: logits, wrong: [undefined, null, 3, 'x', {}, tensor([[1, 2, 3]])] },
    {
      value: { temperature: 2 },
      wrong: [null, 3, 'x', { temperature: 0 }, { beta: 2 }, { divergence: 'x' }, { alpha: 1 }],
    },
  ],
  everyNth: [
    { value: teacher, wrong: [undefined, null, 3, 'x', {}] },
    { value: 'gpt2', wrong: [undefined, null, 3, 'gpt'] },
    { value: 'causal-lm', wrong: [undefined, null, 3, 'x'] },
    { value: 2, wrong: [undefined, null, 0, 1, 2.5, 'x'] },
  ],
  evaluateLabels: [
    {
      value: results,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...results, multilabel: true }],
        { ...results, scores: [[0.9]] },
        { ...results, scores: ['x'] },
        { ...results, scores: [] },
        { ...results, expected: [[2]] },
        { ...results, expected: [['a']] },
        { ...results, expected: [] },
        { ...results, texts: [] },
        { ...results, texts: 'to be' },
        { ...results, show: 'x' },
        { ...results, scores: [], expected: [], texts: [] },
      ],
    },
  ],
  evaluateRun: [
    dir,
    { value: data, wrong: [null, 3, {}, [], [3], [none], none, [empty]] },
    {
      value: { limit: 2 },
      wrong: [
        ...[null, 3, 'x', { batch_size: 2 }, { limits: 2 }, { show: 'x' }, { onProgress: 3 }],
        ...notSizes.flatMap((wrong) => [{ limit: wrong }, { batchSize: wrong }]),
        ...wrongTables,
      ],
    },
  ],
  fewShot: [
    { value: new GPT2({ vocab_size: tokenizer.vocabSize, n_positions: 64, n_embd: 4, n_head: 1, n_layer: 1 }), wrong: [undefined, null, 3, 'x', {}] }, // biome-ignore format: one line
    { value: tokenizer, wrong: [undefined, null, 3, 'x', {}] },
    { value: [shot, shot], wrong: notShots },
    {
      value: { shots: [0, 1], draws: 1 },
      wrong: [
        ...[
          null,
          3,
          'x',
          { shot: [1] },
          { shots: 1 },
          { shots: [] },
          { shots: [0.5] },
          { shots: [-1] },
          { shots: [2] },
        ],
        ...[
          { shots: [0], draws: -1 },
          { shots: [0], seed: 0.5 },
          { shots: [0], examples: 3 },
          { shots: [0], batchSize: 0 },
        ],
        ...[
          { shots: [0], choices: ['be'] },
          { shots: [0], choices: ['a', 'b'] },
          { shots: [0], onProgress: 3 },
        ],
        { shots: [0], instruction: 3 },
      ],
    },
  ],
  indexOfLabel: [labels, { value: 'a', wrong: [undefined, null, 3, {}, 'c'] }],
  labelConfig: [{ ...labels, wrong: [...labels.wrong, [3]] }],
  labelsIn: [
    { value: row, wrong: [...notRows, { values: {} }, { values: { label: null } }] },
    {
      value: { labelColumn: 'label', multiLabel: false },
      wrong: [
        ...[undefined, null, 3, 'x', {}, { label_column: 'label', multiLabel: false }],
        { labelColumn: 'label', multiLabel: 'x' },
        { labelColumn: 3, multiLabel: false },
        { labelColumn: 'none', multiLabel: false },
      ],
    },
  ],
  wholeModel: [{ value: linear, wrong: [undefined, null, 3, 'x', {}] }],
  openJudge: [
    { value: await judgeRun(), wrong: [...notText, none, empty, data, run] },
    {
      value: {},
      wrong: [null, 3, 'x', { models: teacher }, { model: 3 }, { base: 3 }, { batchSize: 0 }],
    },
  ],
  openRun: [
    dir,
    {
      value: {},
      wrong: [
        ...[null, 3, 'x', { tasks: 'fill-mask' }, { task: 3 }, { task: 'fil-mask' }],
        ...[{ options: 3 }, { options: { textColumn: 'a' } }],
        { task: 'feature-extraction', options: { colum: 'a' } },
      ],
    },
  ],
  readShots: [
    { value: data, wrong: [undefined, null, 3, {}, [], [3], [none], none, [empty], text] },
    {
      value: { limit: 2 },
      wrong: [null, 3, 'x', { limits: 2 }, { limit: 0 }, { format: 3 }, { format: 'a' }, { format: '{text}' }, { format: '{a} {b}' }, ...wrongTables], // biome-ignore format: one line
    },
  ],
  padId: [{ value: tokenizer, wrong: [undefined, null, 3, 'x', {}] }],
  padded: [
    { value: [[1, 2]], wrong: [undefined, null, 3, 'x', {}, [3], [['x']], [null]] },
    { value: 4, wrong: [undefined, null, ...notSizes.filter((wrong) => wrong !== 0)] },
    { value: 0, wrong: [undefined, null, 'x', 1.5, Number.NaN] },
  ],
  parseTrainConfig: [
    {
      value: { data: [text] },
      wrong: [
        ...[undefined, null, 3, 'x', {}, [], { data: text }, { data: [] }, { data: [3] }],
        ...[
          ...[{ learning_rate: 1 }, { lr: 'x' }, { lr: 0 }, { lr: Number.NaN }, { batch: 0 }],
          ...[{ batch_size: 8 }, { steps: 1.5 }, { model: 3 }, { task: 3 }],
          ...[{ task: 'no such task' }, { optimizer: 'adamx' }, { optimizer: 3 }, { seed: -1 }],
          ...[{ schedule: 'linea' }, { dropout: 2 }, { heads: 3, dim: 8 }, { train: 'top:0' }],
        ].map((wrong) => ({ data: [text], ...wrong })),
      ],
    },
    { value: 'a.json', wrong: [null, 3, {}] },
  ],
  predictRun: [
    dir,
    { value: [row], wrong: [undefined, null, 3, 'x', {}, [3], [null], [{}], [{ values: {} }]] },
    {
      value: {},
      wrong: [
        ...[null, 3, 'x', { batch: 2 }, { task: 'fil-mask' }],
        ...notSizes.map((wrong) => ({ batchSize: wrong })),
      ],
    },
  ],
  predictionOf: [
    {
      value: [{ label: 'a', score: 1 }],
      wrong: [undefined, null, 3, 'x', {}, [], ['a'], [null], [{ label: 'a' }]],
    },
    {
      value: { labels: ['a'], config: {} },
      wrong: [undefined, null, 3, 'x', {}, { labels: ['a'] }],
    },
  ],
  registerTask: [
    {
      value: task,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...task, name: 'a/b' }, { ...task, text: () => [] }],
        ...Object.keys(task).map((key) => ({ ...task, name: 'wrong-calls-2', [key]: undefined })),
        ...['options', 'facts', 'survey', 'texts', 'defaults', 'columnKeys', 'keepsExamples'].map(
          (key) => ({ ...task, name: 'wrong-calls-2', [key]: 3 }),
        ),
      ],
    },
  ],
  describeRuns: [
    { value: [run], wrong: [...notText, none, empty, data, 'a\0b', [], [run, 3], [run, none]] },
    {
      value: { data: [data], limit: 2 },
      wrong: [
        ...[null, 3, 'x', { out: 'x' }, { data }, { data: [] }, { data: [none] }],
        ...notSizes.map((wrong) => ({ limit: wrong })),
        ...wrongTables,
        { onProgress: 3 },
      ],
    },
  ],
  reportRun: [
    { ...dir, wrong: [...dir.wrong, [], [run, none]] },
    {
      value: { data: [data], limit: 2, out: join(scratch, 'report.html') },
      wrong: [
        ...[null, 3, 'x', { output: 'x' }, { out: 3 }, { data }, { data: [] }, { data: [none] }],
        ...notSizes.map((wrong) => ({ limit: wrong })),
        ...wrongTables,
        { onProgress: 3 },
        { data: [data], limit: 2, out: join(text, 'report.html') },
        { data: [data], limit: 2, out: empty },
      ],
    },
  ],
  runExamples: [
    { value: [1], wrong: [undefined, null, 3, 'x', {}] },
    {
      value: running,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...running, batch_size: 1 }],
        ...Object.keys(running).flatMap((key) =>
          [undefined, null, 'x', {}].map((wrong) => ({ ...running, [key]: wrong })),
        ),
        ...notSizes.map((wrong) => ({ ...running, batchSize: wrong })),
        { ...running, batching: { length: () => 1, collate: () => 3 } },
        { ...running, batching: { length: () => 1, collate: () => ({ x: [1] }) } },
        { ...running, batching: { length: () => Number.NaN, collate: running.batching.collate } },
        { ...running, forward: () => 3 },
        { ...running, forward: () => [3] },
      ],
    },
  ],
  surveyLabels: [
    {
      value: { data: { source: async () => source }, options: { labelColumn: 'label' } },
      wrong: [
        ...[undefined, null, 3, 'x', {}, { options: {} }, { data: {}, options: {} }],
        { data: { source: async () => 3 }, options: {} },
      ],
    },
    {
      value: ({ values }: typeof row) => [String(values.label)],
      wrong: [undefined, null, 3, 'x', {}, () => undefined, () => 3, () => [3]],
    },
  ],
  textBatch: [
    {
      value: [{ ids: [1] }],
      wrong: [undefined, null, 3, 'x', {}, [3], [null], [{}], [{ ids: 'x' }]],
    },
    { value: 4, wrong: [undefined, null, 'x', -1, 1.5, Number.NaN] },
    { value: 0, wrong: [undefined, null, 'x', 1.5, Number.NaN] },
  ],
  textIn: [
    { value: row, wrong: notRows },
    { ...column, wrong: [...column.wrong, 'scores'] },
  ],
  dpoLoss: [
    {
      value: { policy: logits, reference: logits },
      wrong: [undefined, null, 3, 'x', {}, { policy: 3, reference: logits }],
    },
    { value: {}, wrong: [null, 3, 'x', { loss: 'simple' }, { beta: 'x' }, { labelSmoothing: 2 }] },
  ],
  ktoLoss: [
    {
      value: { policy: ones, reference: ones, desirable: ones, kl: zero },
      wrong: [undefined, null, 3, 'x', {}, { policy: ones }],
    },
    { value: {}, wrong: [null, 3, 'x', { beta: 'x' }, { weight: 1 }] },
  ],
  generalizedAdvantages: [
    { value: [0, 1], wrong: [undefined, null, 3, 'x', {}, ['x'], [1]] },
    { value: [0.5, 0.5], wrong: [undefined, null, 3, 'x', {}, ['x'], [1]] },
    { value: {}, wrong: [null, 3, 'x', { gamma: 'x' }, { lamda: 1 }] },
  ],
  grpoLoss: [
    { value: rollouts, wrong: [undefined, null, 3, 'x', {}, { ...rollouts, policy: 3 }] },
    { value: {}, wrong: [null, 3, 'x', { loss: 'ppo' }, { beta: 'x' }, { maxTokens: 0 }] },
  ],
  rlooLoss: [
    { value: rollouts, wrong: [undefined, null, 3, 'x', {}, { ...rollouts, advantages: 3 }] },
    { value: {}, wrong: [null, 3, 'x', { epsilon: 'x' }, { beta: 1 }] },
  ],
  ppoLoss: [
    {
      value: { policy: logits, advantages: logits, counted: logits, values: logits, returns: logits }, // biome-ignore format: one line
      wrong: [undefined, null, 3, 'x', {}, rollouts],
    },
    { value: {}, wrong: [null, 3, 'x', { epsilon: 'x' }, { beta: 1 }] },
  ],
  rewardLoss: [
    { value: logits, wrong: [undefined, null, 3, 'x', {}] },
    { value: {}, wrong: [null, 3, 'x', { centering: 'x' }, { margin: 3 }] },
  ],
  trainModel: [
    {
      value: { config, out: join(scratch, 'out') },
      wrong: [
        ...[undefined, null, 3, 'x', {}, { config }, { out: none }],
        ...[null, 3, 'x', [], { data: [text], learning_rate: 1 }, { ...config, batch: 'x' }].map(
          (wrong) => ({ config: wrong, out: none }),
        ),
        ...notText.map((wrong) => ({ config, out: wrong })),
        { config, out: text },
        { config, out: none, resume: true },
        { config, out: none, resume: 'x' },
        { config, out: none, output_dir: 'x' },
        { config, out: none, signal: 'x' },
        { config, out: none, on: 'x' },
        { config: { ...config, data: [none] }, out: none },
        { config: { ...config, model: 'gpt3' }, out: none },
        { config, out: join(scratch, 'out') },
      ],
    },
  ],
  valueIn: [{ value: row, wrong: notRows }, column],
}

const method =
  (owner: object, name: string) =>
  (...args: never[]) =>
    (Reflect.get(owner, name) as (...args: never[]) => unknown).apply(owner, args)
const folder = (): train.RunFolder => new train.RunFolder(join(scratch, 'folder'))
await folder().begin(config)
const model: Argument = { value: linear, wrong: [undefined, null, 3, 'x', {}] }
const optimizer: Argument = { value: training.optimizer, wrong: [undefined, null, 3, 'x', {}] }
const state = { step: 1, config, random: { seed: 1, draws: 0 }, best: null, computed_on: { heed: '0', device: 'cpu' } } // biome-ignore format: one line
const notTrained: readonly unknown[] = [undefined, null, 3, 'x', {}, { model: linear }]

/** Methods; those of a run folder whose right call needs a whole run are called wrongly alone, below. */
const methods: Sample[] = [
  {
    name: 'RunFolder.begin',
    call: method(folder(), 'begin'),
    args: [{ value: config, wrong: [undefined, null, 3, 'x', []] }],
  },
  { name: 'RunFolder.restore', call: method(folder(), 'restore'), args: [model, optimizer] },
  {
    name: 'RunFolder.save',
    call: method(folder(), 'save'),
    args: [
      model,
      optimizer,
      {
        value: state,
        wrong: [undefined, null, 3, 'x', {}, { ...state, step: -1 }, { ...state, random: 3 }],
      },
    ],
  },
  {
    name: 'RunFolder.log',
    call: method(folder(), 'log'),
    args: [{ value: { step: 1 }, wrong: [undefined, null, 3, 'x', []] }],
  },
  {
    name: 'Trainer.advance',
    call: (change: object) => new train.Trainer({ ...training, ...change }).advance(),
    args: [
      {
        value: {},
        wrong: [
          ...[undefined, null, 3, [], [3], {}].flatMap((wrong) => [
            { loss: () => wrong },
            { loss: () => wrong, accumulate: 2 },
            { batches: { batch: () => wrong } },
            { batches: { batch: () => ({ x: wrong }) } },
          ]),
        ],
      },
    ],
  },
]

export const samples: Sample[] = [...samplesOf(train, functions), ...methods]

/** Calls of which every form is wrong. */
export const wrongFolders: Sample[] = ['create', 'saveBest'].map((name) => ({
  name: `RunFolder.${name}`,
  call: method(folder(), name),
  args: [{ value: undefined, wrong: notTrained }],
}))
