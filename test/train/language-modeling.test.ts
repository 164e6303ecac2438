import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import type { TrainConfig } from '../../src/train/config-schema.ts'
import { type TrainEvent, type TrainOutcome, trainModel } from '../../src/train/train-model.ts'
import { heedError } from '../support/heed-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-train-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const words = ['whale', 'sea', 'ship', 'captain', 'harpoon', 'white', 'the', 'of', 'and']
const text = Array.from({ length: 900 }, (_, i) => words[(i * 7 + (i % 5)) % words.length]).join(
  ' ',
)
const data = join(folder, 'text.txt')
writeFileSync(data, text)

const config = (changes: Partial<TrainConfig> = {}): TrainConfig =>
  parseTrainConfig({
    data: [data],
    layers: 2,
    heads: 2,
    dim: 16,
    context: 16,
    batch: 4,
    steps: 12,
    warmup: 2,
    dropout: 0.2,
    evalEvery: 4,
    saveEvery: 4,
    logEvery: 1,
    ...changes,
  })

const weightsOf = async (run: string): Promise<Map<string, number[]>> => {
  const file = await openSafetensors(join(run, 'model.safetensors'))
  const out = new Map<string, number[]>()
  for (const name of file.names) out.set(name, [...(await file.read(name, { as: 'f32' }))])
  await file.close()
  return out
}

const linesOf = (run: string): Record<string, number>[] =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Trains until `stopAt` steps have been reported, then stops as Ctrl-C does. */
async function trainUntil(
  stopAt: number,
  out: string,
  changes: Partial<TrainConfig> = {},
): Promise<TrainOutcome> {
  const stop = new AbortController()
  const on = (event: TrainEvent): void => {
    if (event.type === 'step' && event.result.step >= stopAt) stop.abort()
  }
  return trainModel({ config: config(changes), out, signal: stop.signal, on })
}

describe('trainModel', () => {
  it.each([1, 3])(
    'goes on bit for bit where it stopped, with %i micro-batches a step',
    async (accumulate) => {
      const whole = join(folder, `whole-${accumulate}`)
      const parts = join(folder, `parts-${accumulate}`)
      const outcome = await trainModel({ config: config({ accumulate }), out: whole })
      expect(outcome.finished).toBe(true)
      const stopped = await trainUntil(5, parts, { accumulate })
      expect(stopped.finished).toBe(false)
      expect(stopped.step).toBeLessThan(12)
      await trainModel({ config: config({ accumulate }), out: parts, resume: true })
      expect(await weightsOf(parts)).toEqual(await weightsOf(whole))
      const plain = (run: string): unknown[] =>
        linesOf(run).map(({ tokens_per_second: _, memory_bytes: __, ...rest }) => rest)
      expect(plain(parts)).toEqual(plain(whole))
    },
  )

  it('leaves a folder that opens as a model, with the best one beside it', async () => {
    const out = join(folder, 'opens')
    const { best } = await trainModel({ config: config(), out })
    expect(best?.val_loss).toBeGreaterThan(0)
    for (const run of [out, join(out, 'best')]) {
      const model = await fromPretrained(run)
      expect(model.contextLength).toBe(16)
    }
    const [first] = linesOf(out)
    const keys = ['step', 'loss', 'lr', 'grad_norm', 'tokens_per_second', 'memory_bytes']
    expect(Object.keys(first)).toEqual(keys)
    expect(first.memory_bytes).toBeGreaterThan(1e7)
  })

  it('learns', async () => {
    const out = join(folder, 'learns')
    const { loss } = await trainModel({
      config: config({ steps: 60, lr: 1e-2, dropout: 0, saveEvery: 0 }),
      out,
    })
    expect(loss).toBeLessThan(2.2) // 18 characters: 2.9 to begin with
  })

  it('does not overwrite a run', async () => {
    const out = join(folder, 'twice')
    await trainModel({ config: config({ steps: 2 }), out })
    await expect(trainModel({ config: config({ steps: 2 }), out })).rejects.toThrow(
      heedError('already-exists', { key: 'out', value: out, remedy: '`resume`' }),
    )
  })

  it('refuses to go on under another configuration, and names what differs', async () => {
    const out = join(folder, 'other')
    await trainUntil(2, out)
    const changed = trainModel({ config: config({ lr: 1 }), out, resume: true })
    await expect(changed).rejects.toThrow(
      heedError('invalid-option', { key: 'lr', value: 1, mentions: '0.001' }),
    )
  })

  it('refuses to go on where there is nothing', async () => {
    const out = join(folder, 'nothing')
    await expect(trainModel({ config: config(), out, resume: true })).rejects.toThrow(
      heedError('missing-file', { key: 'out' }),
    )
  })

  it('stops when the loss is no number, and says what is left', async () => {
    const out = join(folder, 'diverged')
    const run = trainModel({
      config: config({ lr: 1e30, clip: 0, warmup: 0, steps: 40, saveEvery: 1 }),
      out,
    })
    await expect(run).rejects.toThrow(
      heedError('diverged', { mentions: /step \d+ .*(NaN|Infinity)/, remedy: 'checkpoint' }),
    )
  })

  it('says when the context is longer than the text', async () => {
    const short = join(folder, 'short.txt')
    writeFileSync(short, 'a short text')
    const run = trainModel({ config: config({ data: [short] }), out: join(folder, 'short') })
    await expect(run).rejects.toThrow(
      heedError('invalid-option', { key: 'contextLength', value: 16 }),
    )
  })
})

describe('parseTrainConfig', () => {
  it('names unknown keys with the nearest known one', () => {
    expect(() => parseTrainConfig({ data: ['x'], layer: 3 })).toThrow(
      heedError('unknown-name', { mentions: '`layer`', remedy: '`layers`' }),
    )
  })

  it('names sizes that do not fit', () => {
    expect(() => parseTrainConfig({ data: ['x'], dim: 100, heads: 3 })).toThrow(
      heedError('invalid-option', {
        key: 'heads',
        value: 3,
        try: { heads: [1, 2, 5, 10] },
        mentions: ['`dim`', '(100)'],
        remedy: ['`heads`', '1, 2, 5 or 10'],
      }),
    )
    expect(() => parseTrainConfig({ data: ['x'], context: 1 })).toThrow(
      heedError('invalid-option', { key: 'context', value: 1 }),
    )
  })
})
