// BERT twice: pre-trained on text without labels (masked tokens, next sentences), then trained to separate
// spam from ham; and from nothing, with the same labels. What does pre-training give, with few labels
// and with many?
//
//     npm run example:spam -- [--seed 1] [--thorough] [--mails FOLDER] [--out FOLDER] [--smoke]
//
// With --thorough, a model without pre-training learns all labels, too, which takes two and a half minutes more.
import { percent } from './rows.ts'
import { fresh, pretrain, smoke, test, thorough, train, tune, write } from './spam/study.ts'

const spam = test.filter(({ label }) => label === 'spam').length
console.log(`${train.length} mails for training, ${test.length} for testing (${spam} are spam)`)
const pretrained = await pretrain()
const taught = { 'pre-trained': { from: pretrained } }
const both = { ...taught, 'from nothing': fresh }

// Which few mails have labels counts for much: three draws of them.
const few = smoke ? 40 : 200
for (const draw of smoke ? [0] : [0, 1, 2])
  await learn(`${few}-${draw + 1}`, train.slice(draw * few, (draw + 1) * few), both, {
    epochs: smoke ? 4 : 8,
    lr: 1e-3,
  })
await learn('all', train, thorough ? both : taught, { epochs: smoke ? 1 : 3, lr: 5e-4 })

async function learn(name: string, labelled: typeof train, starts: object, keys: object) {
  const data = [write(`train-${name}`, labelled)]
  for (const [start, own] of Object.entries(starts)) {
    const metrics = await tune(`${start.replace(' ', '-')}-${name}`, { data, ...keys, ...own })
    console.log(`${labelled.length} labels, ${start}: F1 of spam ${metrics.f1_spam?.toFixed(4)}, accuracy ${percent(metrics.accuracy)}`) // biome-ignore format: one line
  }
}
