// One trial of the memory sweep: memory-once.ts train|loop|generate FOLDER. Exits with 0 on success, and with 3 when an
// OutOfMemoryError was caught. The sweep reports any other result.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateTokens } from '../../src/generate/index.ts'
import { manualSeed, OutOfMemoryError, tensor } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { parseTrainConfig, trainModel } from '../../src/train/index.ts'

const [way, folder] = process.argv.slice(2)
const size = { vocab_size: 64, n_positions: 32, n_embd: 64, n_layer: 2, n_head: 2 }

const ways: Record<string, () => Promise<unknown>> = {
  train: () =>
    trainModel({
      config: parseTrainConfig({
        model: 'gpt2',
        data: [join(folder, 'text.txt')],
        ...{ layers: 2, heads: 2, dim: 64, context: 32, batch: 8, steps: 2, seed: 1 },
      }),
      out: join(folder, `run-${process.pid}`),
    }),

  async loop() {
    manualSeed(1)
    const model = new GPT2(size)
    const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
    const ids = tensor(new Int32Array(64).fill(3), { shape: [2, 32], dtype: 'i32' })
    for (let step = 0; step < 3; step++) {
      const loss = model.loss(ids, ids)
      loss.backward()
      await optimizer.step()
      await loss.item()
    }
  },

  async generate() {
    const model = new GPT2(size)
    let count = 0
    for await (const _ of generateTokens(model, [1, 2, 3], { maxTokens: 8, temperature: 0 }))
      count++
    if (count !== 8) throw new Error(`${count} tokens instead of 8`)
  },
}

try {
  await ways[way]()
} catch (error) {
  if (!(error instanceof OutOfMemoryError)) throw error
  process.exitCode = 3
}
await sleep(20) // for promises that are not awaited
