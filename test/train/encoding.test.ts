import { appendFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  firstExamples,
  openRows,
  prepareTokens,
  type Row,
  type RowSource,
} from '../../src/data/index.ts'
import { trainTokenizer } from '../../src/tokenizers/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { type EncodingSetup, encodePart } from '../../src/train/encoding/encode-part.ts'
import { encodeTexts } from '../../src/train/encoding/encode-texts.ts'
import { encodeParts } from '../../src/train/encoding/parts.ts'
import { prepareExamples } from '../../src/train/encoding/prepare-examples.ts'
import { EncodingThreads, threadsFor } from '../../src/train/encoding/threads.ts'
import { encodeRows } from '../../src/train/examples.ts'
import { type MadeTask, rowBatches } from '../../src/train/row-batches.ts'
import { taskData } from '../../src/train/task-data.ts'
import { newTaskModel } from '../../src/train/task-model.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { chapters } from '../tokenizers/samples.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()

const words = 'whale sea ship captain harpoon white \ud83d\udc0b the of and'.split(' ')
const rowsOf = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, n) => ({
    text: Array.from({ length: 3 + (n % 23) }, (_, i) => words[(n * 7 + i * i) % 10]).join(' '),
    label: n % 3,
    ...more,
  }))
/** Much data, of which little is to be encoded. */
const rowsOfMuch = rowsOf(900, { comment: 'aye '.repeat(3000) })
const large = writeRows(at('large.jsonl'), rowsOfMuch)
const small = writeRows(at('small.jsonl'), rowsOf(700))

const keys = { model: 'bert', task: 'text-classification', tokenizer: 'wordpiece:300', context: 32 }
const madeOf = (data: string, more: object = {}): Promise<MadeTask> =>
  newTaskModel(
    parseTrainConfig({ ...keys, data: [data], layers: 1, heads: 2, dim: 16, batch: 8, ...more }),
  )

const started: Worker[] = []
const note = (worker: Worker): void => void started.push(worker)
beforeEach(() => {
  started.length = 0
  process.on('worker', note)
})
afterEach(() => {
  process.off('worker', note)
  vi.unstubAllEnvs()
})

async function threadsOf(made: MadeTask): Promise<EncodingThreads> {
  const folder = at('preprocessor')
  await made.context.preprocessor.save(folder)
  const { options, facts, modelType, contextLength } = made.context
  const setup = { task: made.kind.name, options, facts, modelType, contextLength, folder }
  const threads = await EncodingThreads.start(setup, 2)
  if (!threads) throw new Error('no threads')
  return threads
}

async function joined(source: RowSource, encoder: Parameters<typeof encodeParts>[1]) {
  const bytes: Uint8Array[] = []
  const lengths: number[] = []
  for await (const part of encodeParts(source, encoder)) {
    bytes.push(part.bytes)
    lengths.push(...part.lengths)
  }
  return { bytes: Buffer.concat(bytes).toString('base64'), lengths }
}

describe('threads', () => {
  let made: MadeTask
  let threads: EncodingThreads
  beforeAll(async () => {
    made = await madeOf(small)
    threads = await threadsOf(made)
  })
  afterAll(() => threads.stop())

  it('make of rows what this thread makes of them, in the same order', async () => {
    const source = await openRows(small)
    const here = { ahead: 1, encode: (rows: readonly Row[]) => encodePart(made.task, rows) }
    const [a, b] = [await joined(source, threads), await joined(source, here)]
    expect(a).toEqual(b)
    expect(a.lengths).toHaveLength(700)
  })

  it('tell mistakes as this thread does, in the order of the rows', async () => {
    const lines = rowsOf(2000).map((row) => JSON.stringify(row))
    for (const wrong of [250, 257, 600, 1999]) lines[wrong] = '{"text": "a", "label": "none"}'
    for (const wrong of [255, 256, 601]) lines[wrong] = '{"text"'
    for (const every of [0, 90]) {
      const own = lines.map((line, i) => (every && i % every === 89 ? '{"label": 1}' : line))
      const path = at(`mistakes-${every}.jsonl`)
      await writeFile(path, own.join('\n'))
      const source = await openRows(path)
      const said = await encodeRows(made.task, source).catch((error) => error.message)
      expect(said).toMatch(every ? /^20 or more / : /^7 rows /)
      expect(said).toMatch(
        /:251: .*'none'\n(.|\n)*:256: .*JSON(.|\n)*:257: .*JSON(.|\n)*:258: .*'none'\n/,
      )
      await expect(joined(source, threads)).rejects.toMatchObject({ message: said })
    }
  })

  it('tell what was wrong before a file that breaks off', async () => {
    const rows = rowsOf(400).map((row) => JSON.stringify(row))
    const path = at('broken.json')
    await writeFile(path, `[${rows.join(',\n')}, {"text": `)
    const source = await openRows(path)
    await expect(joined(source, threads)).rejects.toThrow(
      heedError('invalid-data', { mentions: ['broken.json', 'line 400'] }),
    )
  })

  it('that end by themselves are an error', async () => {
    const file = at('ends.mjs')
    await writeFile(
      file,
      `import { parentPort } from 'node:worker_threads'
       parentPort.on('message', () => process.exit(3))`,
    )
    const url = pathToFileURL(file)
    const own = await EncodingThreads.start({} as EncodingSetup, 2, url)
    if (!own) throw new Error('no threads')
    const rows = await openRows(small)
    await expect(joined(rows, own)).rejects.toThrow(
      heedError('invalid-state', { mentions: 'code 3' }),
    )
    await expect(own.encode([])).rejects.toThrow(heedError('invalid-state', { mentions: 'code 3' }))
    await own.stop()
  })

  it('are as many as the data is worth, and HEED_THREADS allows', () => {
    vi.stubEnv('HEED_THREADS', '3')
    expect([0, 9e6, 11e6, 16e6, 1e9].map((bytes) => threadsFor(bytes))).toEqual([0, 0, 2, 3, 3])
    vi.stubEnv('HEED_THREADS', '1')
    expect(threadsFor(1e9)).toBe(0)
  })
})

const ofRun = {
  run: 'none',
  startModel: () => Promise.reject(new Error('not needed')),
  steps: (perEpoch: number) => perEpoch,
}
const dataOf = (path: string) => taskData([path], { columnKeys: [] }, {})

describe('prepared examples', () => {
  const setupFor = (cacheDir: string, more: object = {}) => ({
    data: dataOf(large),
    valFraction: 0.1,
    batch: 8,
    seed: 3,
    cacheDir,
    ...ofRun,
    ...more,
  })

  /** Whether rows were encoded, and what came out. */
  async function prepare(path: string, made: MadeTask, cacheDir: string) {
    let encoded = 0
    const onProgress = (what: string, done: number): void => {
      if (what === 'Encoding rows') encoded = done
    }
    const { examples, close } = await prepareExamples(
      dataOf(path),
      made,
      setupFor(cacheDir, { onProgress }),
    )
    const all = firstExamples(examples)
    await close?.()
    return { encoded, all }
  }

  it('of few rows are held, without threads or files', async () => {
    const made = await madeOf(small)
    const folder = join(await temporaryFolder(), 'none')
    const { all } = await prepare(small, made, folder)
    expect(all).toEqual(await encodeRows(made.task, await openRows(small)))
    expect(started).toEqual([])
    await expect(mkdir(folder)).resolves.toBeUndefined()
  })

  it('of many are made once for what they depend on', async () => {
    const made = await madeOf(large)
    vi.stubEnv('HEED_THREADS', '1')
    const folder = await temporaryFolder()
    const first = await prepare(large, made, folder)
    expect(first.encoded).toBe(900)
    expect(first.all).toEqual(await encodeRows(made.task, await openRows(large)))
    const second = await prepare(large, made, folder)
    expect(second).toEqual({ encoded: 0, all: first.all })
    const [file, ...others] = readdirSync(folder)
    expect(others).toEqual([])

    truncateSync(join(folder, file), 100_000)
    expect((await prepare(large, made, folder)).encoded).toBe(900)
    const shorter = { ...made, ...(await madeOf(large, { context: 31 })) }
    expect((await prepare(large, shorter, folder)).encoded).toBe(900)
    const otherTokens = await madeOf(large, { tokenizer: 'char' })
    expect((await prepare(large, otherTokens, folder)).encoded).toBe(900)

    const grown = writeRows(at('grown.jsonl'), rowsOfMuch)
    await prepare(grown, made, folder)
    appendFileSync(grown, '{"text": "one more", "label": 2}\n')
    const more = await prepare(grown, made, folder)
    expect(more.encoded).toBe(901)
    expect(more.all.at(-1)).toMatchObject({ text: 'one more', labels: [2] })
    expect(started).toEqual([])
  })

  it('give the batches that held ones give', async () => {
    vi.stubEnv('HEED_THREADS', '2')
    const made = await madeOf(large)
    const setup = setupFor(await temporaryFolder())
    const stored = await rowBatches(setup, made)
    const held = await rowBatches(setup, { ...made, kind: { ...made.kind, keepsExamples: false } })
    for (const step of [0, 1, 5, stored.perEpoch + 2])
      expect(await stored.train.batch(step)).toEqual(await held.train.batch(step))
    expect(stored.size).toEqual(held.size)
    expect(firstExamples(stored.heldOut)).toEqual(firstExamples(held.heldOut))
    await stored.close?.()
    expect(started).toHaveLength(2)
  })

  it('leave nothing when they are stopped', async () => {
    vi.stubEnv('HEED_THREADS', '2')
    const made = await madeOf(large)
    const cacheDir = await temporaryFolder()
    const stop = new AbortController()
    const onProgress = (what: string): void => {
      if (what === 'Encoding rows') stop.abort()
    }
    const setup = setupFor(cacheDir, { onProgress, signal: stop.signal })
    await expect(prepareExamples(dataOf(large), made, setup)).rejects.toThrow(
      heedError('invalid-state', { mentions: 'Interrupted' }),
    )
    expect(readdirSync(cacheDir)).toEqual([])
    expect(started.map(({ threadId }) => threadId)).toEqual([-1, -1])
  })
})

describe('tokens of texts', () => {
  const texts = [
    chapters(3).join('\n'),
    '',
    '\n \n',
    chapters(2).join('\n').padEnd(600_000, chapters(2)[1]),
  ]
  const files = texts.map((text, i) => {
    writeFileSync(at(`${i}.txt`), text)
    return at(`${i}.txt`)
  })

  const tokenizer = trainTokenizer(chapters(3), { type: 'bpe', vocabSize: 400 })

  it('are those of this thread', async () => {
    const [here, there] = [await temporaryFolder(), await temporaryFolder()]
    const encode = (some: Iterable<string>) =>
      encodeTexts(some, tokenizer, { threads: 2, cacheDir: there })
    const a = await prepareTokens({ files, tokenizer, cacheDir: here })
    const b = await prepareTokens({ files, tokenizer, cacheDir: there, encode })
    expect(isDeepStrictEqual(b.read(0, b.length), a.read(0, a.length))).toBe(true)
    expect(b.documents).toEqual(a.documents)
    expect(readdirSync(there)).toEqual(readdirSync(here))
    expect(started.map(({ threadId }) => threadId)).toEqual([-1, -1])
  })

  it('leave nothing when they are stopped', async () => {
    const cacheDir = await temporaryFolder()
    const encode = (some: Iterable<string>) =>
      encodeTexts(some, tokenizer, { threads: 1, cacheDir })
    const onProgress = ({ stage }: { stage: string }): void => {
      if (stage === 'encode') throw new HeedError('invalid-option', 'stopped')
    }
    await expect(prepareTokens({ files, tokenizer, cacheDir, encode, onProgress })).rejects.toThrow(
      heedError('invalid-option', { mentions: 'stopped' }),
    )
    expect(readdirSync(cacheDir)).toEqual([])
    expect(started.map(({ threadId }) => threadId)).toEqual([-1])
  })
})

it('a language model of many rows sees what it sees of few', async () => {
  const texts = rowsOf(900).map(({ text }) => text)
  const few = writeRows(
    at('few.jsonl'),
    texts.map((text) => ({ text })),
  )
  const many = writeRows(at('many.jsonl'), rowsOfMuch)
  const opened = await Promise.all(
    [few, many].map(async (path) => {
      const config = { model: 'gpt2', tokenizer: 'bpe:300', data: [path], context: 16, layers: 1 }
      const made = await newTaskModel(parseTrainConfig({ ...config, heads: 2, dim: 16 }))
      const { kind, context, data } = made
      const setup = { data, valFraction: 0.1, batch: 8, seed: 3, cacheDir: at('tokens'), ...ofRun }
      if (!kind.batches) throw new Error('no batches')
      return kind.batches(setup, context)
    }),
  )
  const [a, b] = opened
  expect(a.size).toEqual(b.size)
  expect(a.charactersPerToken).toBe(b.charactersPerToken)
  for (const step of [0, 1, 50])
    expect(await b.train.batch(step)).toEqual(await a.train.batch(step))
  expect(firstExamples(b.heldOut)).toEqual(firstExamples(a.heldOut))
  expect(readdirSync(at('tokens'))).toHaveLength(1)
  for (const batches of opened) await batches.close?.()
})

it('a run on many rows goes on from its checkpoint as if it had never stopped', async () => {
  vi.stubEnv('HEED_THREADS', '1')
  const more = { ...keys, data: [large], steps: 6, lr: 1e-3, layers: 1, evalEvery: 0, dropout: 0.1 }
  await trainTiny(at('whole'), more)
  await trainTiny(at('parts'), more, { stopAt: 3 })
  const done: string[] = []
  const resumed = await trainTiny(at('parts'), more, {
    resume: true,
    on: (event) => event.type === 'progress' && done.push(event.what),
  })
  expect(resumed.step).toBe(6)
  expect(done).not.toContain('Encoding rows')
  expect(linesOf(at('parts'))).toEqual(linesOf(at('whole')))
  expect(await weightsOf(at('parts'))).toEqual(await weightsOf(at('whole')))
})
