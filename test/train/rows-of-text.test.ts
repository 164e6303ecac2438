import { expect, it } from 'vitest'
import { evaluateRun } from '../../src/train/evaluate-run.ts'
import { openRun } from '../../src/train/open-run.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()

const words = ['whale', 'sea', 'ship', 'captain', 'harpoon', 'white', 'the', 'of', 'and']
const rows = Array.from({ length: 200 }, (_, n) => ({
  body: Array.from({ length: 8 + (n % 9) }, (_, i) => words[(n + i) % 9]).join(' '),
}))

it.each(['gpt2', 'llama'])('rows are packed, and %s learns them', async (model) => {
  const data = [writeRows(at('rows.jsonl'), rows)]
  const out = at(model)
  const settings = {
    model,
    textColumn: 'body',
    tokenizer: 'bpe:300',
    steps: 80,
    lr: 1e-2,
    warmup: 5,
  }
  const { best, bitsPerCharacter } = await trainTiny(out, { ...settings, data, evalEvery: 20 })
  expect(best?.val_loss).toBeLessThan(2) // ln 300 = 5.7 to begin with
  const { metrics: heldOut } = await evaluateRun(out)
  const expected = ((best?.val_loss ?? 0) * heldOut.bits_per_character) / heldOut.loss
  expect((bitsPerCharacter ?? 0) / expected).toBeCloseTo(1, 1) // the end of a row is a token, but no text
  const { metrics } = await evaluateRun(out, data, { limit: 20 })
  expect(metrics.perplexity).toBeCloseTo(Math.exp(metrics.loss), 5)
  expect(metrics.loss).toBeLessThan(2.5)
  const { task, model: opened } = await openRun(out)
  const row = { values: { body: 'whale sea ship' }, file: 'x', number: 1 }
  const [said] = await task.predict(opened, [row])
  expect(said.continuation).toMatch(/^ ?(captain|harpoon|white)/)
  const wrong = [writeRows(at('wrong.jsonl'), [{ body: 'a b' }, { text: 'c' }])]
  await expect(trainTiny(at('none'), { ...settings, data: wrong })).rejects.toThrow(
    heedError('invalid-data', { mentions: ['wrong.jsonl:2', "'body'", "'text'"] }),
  )
})
