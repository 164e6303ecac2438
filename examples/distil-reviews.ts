// A teacher of six layers replaces missing labels: MiniLM learns from 2,000 food reviews, and teaches a student of
// every third layer, which also reads 2,000 reviews without labels. The same student on labels alone is the comparison.
//
//     HEED_MINILM=./all-MiniLM-L6-v2 npm run example:distil-reviews -- [--seed 1] [--data FOLDER]
//     npm run example:distil-reviews -- --smoke                         # seconds, without weights and reviews
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { evaluateRun } from 'heed/train'
import { reviews, toyReviews } from './reviews/foods.ts'
import { percent, writeRows } from './rows.ts'
import { trainInto } from './train-into.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: 'build/reviews-data' },
    out: { type: 'string', default: 'build/distil-reviews' },
    smoke: { type: 'boolean', default: false },
  },
})
const { out, smoke } = flags
const from = smoke ? 'test/fixtures/pipelines/encoder' : (process.env.HEED_MINILM ?? '')
if (!existsSync(from)) {
  console.error('HEED_MINILM must name the folder of all-MiniLM-L6-v2:')
  console.error('  heed pull sentence-transformers/all-MiniLM-L6-v2 ./all-MiniLM-L6-v2')
  process.exit(2)
}

mkdirSync(out, { recursive: true })
const { train, test } = smoke ? toyReviews() : reviews(flags.data)
const half = Math.min(2000, train.length >> 1)
const labelled = writeRows(out, 'labelled', train.slice(0, half))
const more = train.slice(half, 2 * half).map(({ text }) => ({ text }))
const unlabelled = writeRows(out, 'unlabelled', more)
const testFile = writeRows(out, 'test', test)
const common = {
  model: 'bert',
  task: 'text-classification',
  batch: 16,
  context: smoke ? 16 : 128,
  warmup: 20,
  valFraction: 0,
  saveEvery: 0,
  evalEvery: 0,
  seed: Number(flags.seed),
}

/** Trains into a folder, and returns it. */
async function run(name: string, keys: Record<string, unknown>): Promise<string> {
  const folder = join(out, name)
  const { seconds } = await trainInto(folder, { ...common, ...keys }, smoke ? undefined : name)
  const { metrics } = await evaluateRun(folder, testFile)
  console.log(`${name.padEnd(9)} accuracy ${percent(metrics.accuracy)} (${seconds.toFixed(0)} s)`)
  return folder
}

const every = smoke ? 2 : 3
const teacher = await run('teacher', { from, data: [labelled], lr: 1e-4, epochs: 2 })
// Both students start from the same layers of the teacher. `alpha: 0` leaves only the labels.
const student = { from: teacher, teacher, every, lr: 2e-4 }
await run('labels', { ...student, data: [labelled], alpha: 0, epochs: 4 })
await run('distilled', {
  ...student,
  data: [labelled, unlabelled],
  unlabelled: true,
  alpha: 0.9,
  teacherTemperature: 2,
  epochs: 2,
})
