// How much of a model has to learn for a new task? All of it, the top half, or the head alone: MiniLM
// (Wang et al., 2020), which has read a billion sentences, learns whether a review praises a food.
//
//     HEED_MINILM=./all-MiniLM-L6-v2 npm run example:reviews -- [--seed 1] [--data FOLDER]   # or heed pull it first
//     npm run example:reviews -- --smoke                                # seconds, without weights and reviews
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { evaluateRun, parseTrainConfig, trainModel } from 'heed/train'
import { showProgress } from './progress.ts'
import { reviews, toyReviews } from './reviews/foods.ts'
import { percent, writeRows } from './rows.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: 'build/reviews-data' },
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

// The new head learns fast and sees each review more often; the pretrained layers must not forget.
const ways = {
  all: { lr: 1e-4, epochs: 2 },
  [smoke ? 'top:1' : 'top:3']: { lr: 2e-4, epochs: 2 },
  head: { lr: 5e-3, epochs: 4 },
}
for (const [part, pace] of Object.entries(ways)) {
  const run = join(out, part.replace(':', '-'))
  rmSync(run, { recursive: true, force: true })
  const config = parseTrainConfig({
    model: 'bert',
    task: 'text-classification',
    data,
    from,
    train: part,
    batch: 16,
    context: smoke ? 16 : 128,
    warmup: 20,
    valFraction: 0,
    saveEvery: 0,
    evalEvery: 0,
    seed: Number(flags.seed),
    ...pace,
  })
  const on = smoke ? undefined : showProgress(part)
  const started = performance.now()
  const { model } = await trainModel({ config, out: run, on })
  const seconds = (performance.now() - started) / 1000
  const { metrics } = await evaluateRun(run, testFile)
  const learn = model.parameters().reduce((sum, { requiresGrad, size }) => sum + (requiresGrad ? size : 0), 0) // biome-ignore format: one line
  console.log(`${part.padEnd(6)} ${String(learn).padStart(8)} weights learn: accuracy ${percent(metrics.accuracy)} (${seconds.toFixed(0)} s)`) // biome-ignore format: one line
}
