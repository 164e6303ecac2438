// BERT twice: pre-trained on text without labels (masked tokens, next sentences), then taught to tell
// spam from ham; and from nothing, with the same labels. What does pre-training give, with few labels
// and with many?
//
//     npm run example:spam -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { join } from 'node:path'
import { evaluateRun } from 'heed/train'
import { fresh, out, percent, pretrain, run, smoke, test, testFile, train, write } from './spam/study.ts' // biome-ignore format: one line

const spam = test.filter(({ label }) => label === 'spam').length
console.log(`${train.length} mails to learn from, ${test.length} to be told (${spam} are spam)`)
const pretrained = await pretrain()

for (const count of smoke ? [40] : [200, train.length]) {
  const data = [write(`train-${count}`, train.slice(0, count))]
  const epochs = smoke ? 4 : count <= 200 ? 20 : 3
  const task = { task: 'classification', data, epochs, batch: 16 }
  const [tuned, untaught] = [`tuned-${count}`, `fresh-${count}`]
  await run(tuned, { ...task, from: pretrained, lr: 5e-4 })
  await run(untaught, { ...task, ...fresh, lr: 5e-4 })
  for (const [name, folder] of Object.entries({ 'pre-trained': tuned, 'from nothing': untaught })) {
    const { metrics } = await evaluateRun(join(out, folder), testFile)
    console.log(`${count} labels, ${name}: F1 of spam ${metrics.f1_spam?.toFixed(4)}, accuracy ${percent(metrics.accuracy)}`) // biome-ignore format: one line
  }
}
