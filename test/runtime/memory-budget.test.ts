// Whatever HEED_MEMORY is: success, or an OutOfMemoryError that can be caught; never another exception, an unhandled
// rejection (Vitest reports those) or a crash.
import { writeFile } from 'node:fs/promises'
import { afterAll, expect, it } from 'vitest'
import { generateTokens } from '../../src/generate/index.ts'
import { manualSeed, OutOfMemoryError, setDefaultDevice, tensor } from '../../src/index.ts'
import { GPT2, savePretrained } from '../../src/models/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { clearPrograms } from '../../src/runtime/programs.ts'
import { hostCall } from '../../src/tensor/transforms.ts'
import { trainTokenizer } from '../../src/tokenizers/index.ts'
import { heed } from '../cli/in-process.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, trainTiny } from '../train/support.ts'

const at = scratch()
const text = 'the cat sat on the mat and the dog ran after the cat. '.repeat(20)
await writeFile(at('text.txt'), text)

let draws = 0
const size = { vocab_size: 64, n_positions: 32, n_embd: 32, n_layer: 2, n_head: 2 }

/** 60 in the long form of this test. */
const COUNT = Number(process.env.HEED_LONG ? 60 : 24)

/** From 1 byte, or `least`, to 10 MB, evenly on a logarithmic scale. */
const budgets = (count: number, least = 1): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(least * (1e7 / least) ** (i / (count - 1))))

async function trains(): Promise<void> {
  manualSeed(1)
  const model = new GPT2(size)
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
  const ids = tensor(new Int32Array(32).fill(3), { shape: [2, 16], dtype: 'i32' })
  for (let step = 0; step < 2; step++) {
    const loss = model.loss(ids, ids)
    loss.backward()
    await optimizer.step()
    await loss.item()
  }
}

async function writes(): Promise<void> {
  const model = new GPT2(size)
  let count = 0
  for await (const _ of generateTokens(model, [1, 2, 3], { maxTokens: 4, temperature: 0 })) count++
  expect(count).toBe(4)
}

async function callsHost(): Promise<void> {
  const x = tensor(new Float32Array(300).fill(2))
  const doubled = hostCall(([values]) => values.map((v) => 2 * v), [x.add(1)], [300])
  expect((await doubled.mul(x).data())[0]).toBe(12)
}

/** Budgets under which it works. */
async function survives(
  list: number[],
  work: () => Promise<unknown>,
  open: () => void,
): Promise<number[]> {
  const worked: number[] = []
  for (const bytes of list) {
    process.env.HEED_MEMORY = `${bytes}`
    open()
    clearPrograms()
    try {
      await work()
      worked.push(bytes)
    } catch (error) {
      expect(error, `HEED_MEMORY=${bytes}`).toBeInstanceOf(OutOfMemoryError)
      expect(error).toEqual(heedError('out-of-memory', { mentions: /\d .?B\b.* \d\S* .?B\b/ }))
    }
  }
  return worked
}

afterAll(() => {
  delete process.env.HEED_MEMORY
})

onEach(oneOfEach, (device) => {
  const open = (): void => {
    const again = oneOfEach.find(({ make }) => make().name === device().name)
    setDefaultDevice((again ?? oneOfEach[0]).make())
  }

  it.each([
    ['a training loop', trains],
    ['generation', writes],
    ['a function of the host', callsHost],
  ])('%s', async (_, work) => {
    const worked = await survives(budgets(COUNT), work, open)
    expect(worked.length).toBeGreaterThan(0)
    expect(worked.length).toBeLessThan(COUNT)
  })
})

it.each([{}, { accumulate: 2 }])('trainModel with %j', async (keys) => {
  // From the weights alone to all of a step: the first step fails while it runs.
  const worked = await survives(
    budgets(12, 1e5),
    () =>
      trainTiny(at(`steps-${draws++}`), {
        model: 'gpt2',
        data: [at('text.txt')],
        steps: 3,
        ...keys,
      }),
    () => setDefaultDevice(oneOfEach[1].make()),
  )
  expect(worked.length).toBeGreaterThan(0)
  expect(worked.length).toBeLessThan(12)
})

it('trainModel and the command line', async () => {
  const model = new GPT2({ ...size, vocab_size: 300 })
  await savePretrained(model, at('model'), {
    tokenizer: trainTokenizer([text], { type: 'bpe', vocabSize: 280 }),
  })
  for (const bytes of budgets(12)) {
    process.env.HEED_MEMORY = `${bytes}`
    setDefaultDevice(oneOfEach[1].make())
    clearPrograms()
    await trainTiny(at(`run-${bytes}`), { model: 'gpt2', data: [at('text.txt')], steps: 1 }).catch(
      (error) => {
        expect(error, `HEED_MEMORY=${bytes}`).toBeInstanceOf(OutOfMemoryError)
      },
    )
    const { mistake } = await heed('generate', at('model'), '--prompt', 'the', '--tokens', '2')
    if (mistake !== '') expect(mistake).toMatch(/\d .?B\b.*\n.*HEED_MEMORY/)
  }
})
