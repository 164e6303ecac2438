// One training run of the sweep of kills: train-once.ts OUT TEXT start|resume. Waits for a line on standard input.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseTrainConfig, trainModel } from '../../src/train/index.ts'
import { HeedError } from '../../src/util/errors.ts'

const [out, text, way] = process.argv.slice(2)
const config = parseTrainConfig({
  model: 'gpt2',
  data: [text],
  layers: 1,
  heads: 2,
  dim: 16,
  context: 32,
  batch: 8,
  steps: 120,
  warmup: 0,
  saveEvery: 2,
  evalEvery: 4,
  logEvery: 1,
  seed: 3,
})

process.stdout.write('ready\n')
await once(process.stdin, 'data')
process.stdin.unref()
try {
  // A process that was killed before it wrote the configuration left nothing to resume.
  const resume = way === 'resume' && existsSync(join(out, 'run.json'))
  await trainModel({
    config,
    out,
    resume,
    on: ({ type }) => type === 'start' && process.stdout.write('started\n'),
  })
  process.exit(0)
} catch (error) {
  process.stderr.write(error instanceof HeedError ? error.message : String((error as Error).stack))
  process.exit(error instanceof HeedError ? 2 : 1)
}
