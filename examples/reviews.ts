// How much of a model has to learn for a new task? All of it, the top half, an adapter, or the head alone: MiniLM
// (Wang et al., 2020), which has read a billion sentences, learns whether a review praises a food.
//
//     HEED_MINILM=./all-MiniLM-L6-v2 npm run example:reviews -- [--seed 1] [--data FOLDER]   # or heed pull it first
//     HEED_MINILM=./all-MiniLM-L6-v2 npm run example:reviews -- --methods all                # with a picture
//     npm run example:reviews -- --smoke                                # seconds, without weights and reviews
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Parameter } from 'heed'
import { adaptersOf } from 'heed/adapt'
import type { Module } from 'heed/nn'
import { evaluateRun } from 'heed/train'
import { drawPoints, type Point } from './plots.ts'
import { reviews, toyReviews } from './reviews/foods.ts'
import { percent, writeRows } from './rows.ts'
import { trainInto } from './train-into.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: 'build/reviews-data' },
    methods: { type: 'string' },
    out: { type: 'string', default: 'build/reviews' },
    smoke: { type: 'boolean', default: false },
  },
})
const { out, smoke } = flags
const from = smoke ? 'test/fixtures/pipelines/encoder' : (process.env.HEED_MINILM ?? '')
if (!existsSync(from)) {
  console.error(
    `${from ? `There is no ${from}` : 'HEED_MINILM is not set'}: it names a folder as from`,
  )
  console.error('  heed pull sentence-transformers/all-MiniLM-L6-v2 ./all-MiniLM-L6-v2')
  process.exit(2)
}

mkdirSync(out, { recursive: true })
const { train, test } = smoke ? toyReviews() : reviews(flags.data)
const labelled = train.slice(0, 2000)
const data = [writeRows(out, 'train', labelled)]
const testFile = writeRows(out, 'test', test)
const praise = test.filter(({ label }) => label === 'great').length / test.length
console.log(`${labelled.length} reviews for training, ${test.length} for testing`)
console.log(`always saying great: accuracy ${percent(praise)}`)

const adapter = (spec: string, lr: number) => ({ adapter: spec, lr, epochs: 2 })
// The new head learns fast and sees each review more often; the pretrained layers must not forget.
const WAYS: Readonly<Record<string, Record<string, unknown>>> = {
  all: { lr: 1e-4, epochs: 2 },
  [smoke ? 'top:1' : 'top:3']: { train: smoke ? 'top:1' : 'top:3', lr: 2e-4, epochs: 2 },
  lora: adapter('lora:r=8', 1e-3),
  head: { train: 'head', lr: 5e-3, epochs: 4 },
  dora: adapter('dora:r=8', 1e-3),
  ia3: adapter('ia3', 5e-3),
  prefix: adapter('prefix:tokens=16', 5e-3),
  prompt: adapter('prompt:tokens=16', 1e-2),
  houlsby: adapter('houlsby:r=8', 1e-3),
}
const usual = ['all', 'lora', 'head']
const names = flags.methods === 'all' ? Object.keys(WAYS) : (flags.methods?.split(',') ?? usual)
const unknown = names.find((name) => !Object.hasOwn(WAYS, name))
if (unknown !== undefined) {
  console.error(`--methods must be among ${Object.keys(WAYS).join(', ')}, or all; got ${unknown}`)
  process.exit(2)
}

const points: Point[] = []
for (const name of names) {
  const run = join(out, name.replace(':', '-'))
  const keys = {
    model: 'bert',
    task: 'text-classification',
    data,
    from,
    batch: 16,
    context: smoke ? 16 : 128,
    warmup: 20,
    valFraction: 0,
    saveEvery: 0,
    evalEvery: 0,
    seed: Number(flags.seed),
    ...WAYS[name],
  }
  const { model, seconds } = await trainInto(run, keys, smoke ? undefined : name)
  const { metrics } = await evaluateRun(run, testFile)
  const learn = sizeOf(trained(model))
  const share = learn / sizeOf(model.parameters())
  points.push({ name, x: share, y: 100 * metrics.accuracy })
  console.log(`${name.padEnd(7)} ${String(learn).padStart(8)} weights learn (${percent(share, 2)}): accuracy ${percent(metrics.accuracy)} (${seconds.toFixed(0)} s)`) // biome-ignore format: one line
}
if (points.length > usual.length) {
  const axes = { title: 'Food reviews: accuracy by the share of weights that learn', xName: 'share of the weights', yName: 'accuracy in %' } // biome-ignore format: one line
  writeFileSync(join(out, 'accuracy-by-share.svg'), drawPoints(axes, points))
  console.log(`The picture is ${join(out, 'accuracy-by-share.svg')}`)
}

/** The parameters that training changes, in the model and in its adapters. */
function trained(model: Module): Set<Parameter> {
  const all = [...model.parameters(), ...adaptersOf(model).flatMap((it) => it.parameters())]
  return new Set(all.filter(({ requiresGrad }) => requiresGrad))
}

function sizeOf(parameters: Iterable<Parameter>): number {
  return [...parameters].reduce((sum, { size }) => sum + size, 0)
}
