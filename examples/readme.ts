import { tensor } from 'heed'
import { generate } from 'heed/generate'
import { GPT2 } from 'heed/models'
import { AdamW } from 'heed/optim'
import { trainTokenizer } from 'heed/tokenizers'

const text = 'Call me Ishmael. Some years ago I thought I would see the watery part of the world.'
const tokenizer = trainTokenizer([text], { type: 'char' })
const ids = tensor([tokenizer.encode(text)], { dtype: 'i32' }) // (1, T)
const model = new GPT2({ vocab_size: tokenizer.vocabSize, n_embd: 64, n_layer: 2, n_head: 2 })
const optimizer = new AdamW(model.parameters(), { lr: 3e-3 })
for (let step = 0; step < 150; step++) {
  model.loss(ids.slice(null, [0, -1]), ids.slice(null, [1])).backward() // predict what comes next
  await optimizer.step()
}
let written = 'Call me'
const pieces = generate(model.eval(), tokenizer, written, { temperature: 0, maxTokens: 76 })
for await (const piece of pieces) written += piece
console.log(written)
