// How much of a pre-trained BERT has to learn for a new task? All of it, the top half, or the head alone.
//
//     npm run example:depth -- [--seed 1] [--mails FOLDER] [--out FOLDER] [--smoke]
import { join } from 'node:path'
import { evaluateRun } from 'heed/train'
import { out, percent, pretrain, run, smoke, testFile, train, write } from './spam/study.ts'

const from = await pretrain()
const count = smoke ? 60 : 1000
const data = [write(`train-${count}`, train.slice(0, count))]
const task = { task: 'classification', data, from, epochs: smoke ? 2 : 5, batch: 16 }
console.log(`\n${count} mails with labels`)
for (const [part, lr] of Object.entries({ all: 3e-4, 'top:1': 5e-4, head: 2e-3 })) {
  const folder = `depth-${part.replace(':', '-')}`
  const { model } = await run(folder, { ...task, train: part, lr })
  const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad)
  const numbers = trained.reduce((sum, { size }) => sum + size, 0)
  const { metrics } = await evaluateRun(join(out, folder), testFile)
  console.log(`${part.padEnd(6)} ${String(numbers).padStart(8)} weights learn: F1 of spam ${metrics.f1_spam?.toFixed(4)}, accuracy ${percent(metrics.accuracy)}`) // biome-ignore format: one line
}
