// T5 twice (Raffel et al., 2020): pre-trained by filling in spans that were taken out of mails, then taught
// to answer in words whether a mail is spam; and from nothing, with the same answers. Every task is a text
// for a text.
//
//     npm run example:t5 -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { evaluateRun, type Metrics } from 'heed/train'
import { percent } from './rows.ts'
import { out, run, seed, smoke, test, train, write } from './spam/study.ts'

const model = 't5'
const size = smoke ? { layers: 1, heads: 2, dim: 32 } : { layers: 2, heads: 4, dim: 128 }
// Rates in proportion to each matrix: T5's embeddings start 64 times as large as its queries, and one rate
// for both is too high for the one or too low for the other.
const optimizer = { optimizer: 'adamw', scaleParameter: true }

/** The beginning of a mail: sender, subject and first lines. */
const beginning = ({ text }: { text: string }): string => text.slice(0, 300)
const rowsOf = (mails: typeof train) =>
  mails.map((mail) => ({ source: beginning(mail), target: mail.label === 'spam' ? 'yes' : 'no' }))

const testFile = write('t5-test', rowsOf(test))
const no = test.filter(({ label }) => label === 'ham').length / test.length
console.log(`${test.length} mails in the test; always answering no is right for ${percent(no)}`)

const pretrained = await pretrain()
const starts = {
  'pre-trained': { from: pretrained, lr: 0.005 },
  'from nothing': { ...size, tokenizer: pretrained, lr: 0.01 },
}
const count = smoke ? 60 : 200
const seeds = smoke ? [seed] : [seed, seed + 1, seed + 2]
const right: Record<string, number[]> = { 'pre-trained': [], 'from nothing': [] }
for (const [draw, own] of seeds.entries())
  for (const [start, keys] of Object.entries(starts))
    right[start].push(await answers(`t5-${start.replace(' ', '-')}-${own}`, draw, { seed: own, ...keys })) // biome-ignore format: one line

console.log(`\nright answers   ${seeds.map((own) => `seed ${own}`.padStart(9)).join('')}     mean`)
for (const [start, shares] of Object.entries(right)) {
  const mean = shares.reduce((a, b) => a + b) / shares.length
  console.log(`${start.padEnd(16)}${[...shares, mean].map((share) => percent(share).padStart(9)).join('')}`) // biome-ignore format: one line
}

/** The folder of the pre-trained model, which is used again when it is there. */
async function pretrain(): Promise<string> {
  const name = `t5-pretrained-${seed}`
  const folder = join(out, name)
  if (existsSync(join(folder, 'model.safetensors'))) return folder
  const texts = train.map((mail) => ({ text: beginning(mail) }))
  const { evaluation } = await run(name, {
    model,
    ...size,
    ...optimizer,
    task: 'span-corruption',
    data: [write('t5-texts', texts)],
    // Short texts and a small vocabulary: the sentinels and what surrounds them are found sooner.
    tokenizer: smoke ? 'unigram:400' : 'unigram:1000',
    context: 32,
    noiseShare: 0.25,
    batch: smoke ? 16 : 96,
    steps: smoke ? 30 : 1000,
    warmup: smoke ? 5 : 100,
    lr: 0.02,
    dropout: 0,
    valFraction: 0.02,
  })
  const { token_accuracy, loss = Number.NaN } = evaluation?.metrics ?? {}
  showCurve(folder)
  console.log(`span corruption: ${percent(token_accuracy)} of the target tokens are right, loss ${loss.toFixed(3)}`) // biome-ignore format: one line
  return folder
}

/** Teaches a T5 with the answers of a draw, and returns the share of right answers in the test. */
async function answers(name: string, draw: number, keys: object): Promise<number> {
  const labelled = train.slice(draw * count, (draw + 1) * count)
  await run(name, {
    model,
    ...optimizer,
    task: 'text2text-generation',
    prefix: 'spam? ',
    data: [write(`t5-answers-${draw + 1}`, rowsOf(labelled))],
    epochs: smoke ? 2 : 8,
    batch: 16,
    warmup: 10,
    dropout: 0.1,
    weightDecay: 0.01,
    valFraction: 0,
    ...keys,
  })
  const { metrics, examples } = await evaluateRun(join(out, name), testFile, {
    show: test.length,
    batchSize: 64,
  })
  const [strange] = examples.filter(({ predicted }) => !/^(yes|no)$/.test(predicted))
  console.log(`${count} answers, ${name}: ${percent(metrics.exact_match)} right${strange ? `, but also '${strange.predicted}'` : ''}`) // biome-ignore format: one line
  return metrics.exact_match
}

/** The mean loss in each tenth of a run. */
function showCurve(folder: string): void {
  const text = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
  const lines = text
    .trim()
    .split('\n')
    .map((line): Metrics => JSON.parse(line))
    .flatMap(({ step, loss }) => (loss === undefined ? [] : [{ step, loss }])) // not of evaluations
  const width = Math.ceil(lines.length / 10)
  for (let start = 0; start < lines.length; start += width) {
    const tenth = lines.slice(start, start + width)
    const loss = tenth.reduce((sum, line) => sum + line.loss, 0) / tenth.length
    console.log(`  to step ${String(tenth[tenth.length - 1].step).padStart(5)}  loss ${loss.toFixed(3)}`) // biome-ignore format: one line
  }
}
