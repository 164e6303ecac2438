// How much of a pre-trained BERT has to learn for a new task? All of it, the top half, or the head alone.
//
//     npm run example:depth -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { percent, pretrain, smoke, train, tune, write } from './spam/study.ts'

const from = await pretrain()
const count = smoke ? 60 : 1000
const data = [write(`train-${count}`, train.slice(0, count))]
const task = { data, from, epochs: smoke ? 2 : 4 }
console.log(`\n${count} mails with labels`)
for (const [part, lr] of Object.entries({ all: 5e-4, 'top:1': 5e-4, head: 2e-3 })) {
  const folder = `depth-${part.replace(':', '-')}`
  const { weights, metrics } = await tune(folder, { ...task, train: part, lr })
  console.log(`${part.padEnd(6)} ${String(weights).padStart(8)} weights learn: F1 of spam ${metrics.f1_spam?.toFixed(4)}, accuracy ${percent(metrics.accuracy)}`) // biome-ignore format: one line
}
