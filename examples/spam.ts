// BERT twice: pre-trained on text without labels (masked tokens, next sentences), then taught to tell
// spam from ham; and from nothing, with the same labels. What does pre-training give, with few labels
// and with many?
//
//     npm run example:spam -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { fresh, percent, pretrain, smoke, test, train, tune, write } from './spam/study.ts'

const spam = test.filter(({ label }) => label === 'spam').length
console.log(`${train.length} mails to learn from, ${test.length} to be told (${spam} are spam)`)
const pretrained = await pretrain()

for (const count of smoke ? [40] : [200, train.length]) {
  const data = [write(`train-${count}`, train.slice(0, count))]
  const epochs = smoke ? 4 : count <= 200 ? 20 : 4
  const task = { data, epochs, lr: 5e-4 }
  const tuned = await tune(`tuned-${count}`, { ...task, from: pretrained })
  const untaught = await tune(`fresh-${count}`, { ...task, ...fresh })
  for (const [name, { metrics }] of Object.entries({ 'pre-trained': tuned, 'from nothing': untaught }))
    console.log(`${count} labels, ${name}: F1 of spam ${metrics.f1_spam?.toFixed(4)}, accuracy ${percent(metrics.accuracy)}`) // biome-ignore format: one line
}
