// T5 twice (Raffel et al., 2020): it learns to fill in spans that were taken out of texts, then to answer in
// words whether a mail is spam; and from nothing, with the same answers. Every task is a text for a text.
//
//     npm run example:t5 -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { join } from 'node:path'
import { evaluateRun } from 'heed/train'
import { percent } from './rows.ts'
import { out, run, SIZE, smoke, test, texts, train, write } from './spam/study.ts'

const model = 't5'
const rowsOf = (mails: typeof train) =>
  mails.map(({ text, label }) => ({ source: text, target: label === 'spam' ? 'yes' : 'no' }))
const testFile = write('questions', rowsOf(test))
const no = test.filter(({ label }) => label === 'ham').length / test.length
console.log(`${test.length} mails to be told; always saying no is right for ${percent(no)}`)

const { evaluation } = await run('t5-pretrained', {
  model,
  ...SIZE,
  task: 'span-corruption',
  data: [texts()],
  tokenizer: smoke ? 'unigram:400' : 'unigram:4000',
  context: smoke ? 32 : 64,
  batch: smoke ? 16 : 48,
  steps: smoke ? 30 : 1600,
  warmup: smoke ? 5 : 100,
  lr: 3e-3,
  dropout: 0,
  valFraction: 0.02,
})
console.log(`span corruption: ${percent(evaluation?.metrics.token_accuracy)} of the tokens taken out are right`) // biome-ignore format: one line

const pretrained = join(out, 't5-pretrained')
const starts = {
  'pre-trained': { from: pretrained },
  'from nothing': { ...SIZE, tokenizer: pretrained },
}
for (const [count, epochs] of smoke
  ? [[60, 2]]
  : [
      [200, 10],
      [1000, 4],
    ])
  for (const [start, own] of Object.entries(starts)) {
    const name = `t5-${start.replace(' ', '-')}-${count}`
    await run(name, {
      model,
      task: 'text2text-generation',
      prefix: 'is this spam? ',
      data: [write(`questions-${count}`, rowsOf(train.slice(0, count)))],
      epochs,
      batch: 16,
      lr: 1e-3,
      dropout: 0.1,
      valFraction: 0,
      ...own,
    })
    const { metrics, examples } = await evaluateRun(join(out, name), testFile, {
      show: test.length,
      batchSize: 64,
    })
    const [strange] = examples.filter(({ predicted }) => !/^(yes|no)$/.test(predicted))
    console.log(`${count} answers, ${start}: ${percent(metrics.exact_match)} right${strange ? `, but also '${strange.predicted}'` : ''}`) // biome-ignore format: one line
  }
