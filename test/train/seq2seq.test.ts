import { describe, expect, it } from 'vitest'
import { pipeline } from '../../src/pipelines/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { openRun } from '../../src/train/open-run.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()

const words = ['whale', 'sea', 'ship', 'captain', 'harpoon', 'white', 'storm', 'oil', 'crew']
const text = (n: number, length: number): string =>
  Array.from({ length }, (_, i) => words[(n + i) % words.length]).join(' ')
const documents = Array.from({ length: 60 }, (_, n) => ({ text: text(n, 12 + (n % 30)) }))
const data = [writeRows(at('texts.jsonl'), documents)]
const keys = { model: 't5', data, tokenizer: 'unigram:300', warmup: 10, lr: 5e-3, dim: 32 }

describe('span corruption', () => {
  const settings = { ...keys, task: 'span-corruption' }

  it('takes out 15 % in spans of three, which together with the rest are the text', async () => {
    const out = at('spans')
    await trainTiny(out, { ...settings, steps: 1, context: 64 })
    const { task } = await openRun(out)
    const tokenizer = await Tokenizer.fromFile(out)
    const sentinel = (id: number): boolean => /^<extra_id_\d+>$/.test(tokenizer.idToToken(id) ?? '')
    const lengths = [2, 5, 17, 40, 64]
    const texts = lengths.map((length) => ({
      ids: Array.from({ length }, (_, i) => 3 + ((i * 7) % 20)),
    }))
    for (let step = 0; step < 50; step++) {
      const batch = task.collate(texts, 64, { seed: 1, step })
      expect(batch).toEqual(task.collate(texts, 64, { seed: 1, step }))
      const row = (name: string, i: number): number[] => {
        const { data, shape } = batch[name]
        return Array.from(data.subarray(i * shape[1], (i + 1) * shape[1]))
      }
      texts.forEach(({ ids }, i) => {
        const source = row('input_ids', i).slice(0, batch.lengths.data[i])
        const target = row('labels', i).filter((id) => id >= 0)
        expect([source.pop(), target.pop()]).toEqual([tokenizer.eosTokenId, tokenizer.eosTokenId])
        const noise = Math.max(1, Math.round(ids.length * 0.15))
        expect(target.filter((id) => !sentinel(id))).toHaveLength(noise)
        expect(source.filter(sentinel)).toEqual(target.filter(sentinel))
        expect(source.filter(sentinel)).toHaveLength(Math.max(1, Math.round(noise / 3)))
        // each sentinel of the source stands for what follows it in the target
        const whole = source.flatMap((id) => {
          if (!sentinel(id)) return [id]
          const start = target.indexOf(id) + 1
          const end = target.findIndex((other, j) => j >= start && sentinel(other))
          return target.slice(start, end < 0 ? undefined : end)
        })
        expect(whole).toEqual(ids)
      })
    }
  })

  it('is learnt by t5', async () => {
    const out = at('t5')
    const { evaluation } = await trainTiny(out, { ...settings, steps: 300, dropout: 0 })
    expect(evaluation?.metrics.token_accuracy).toBeGreaterThan(0.7)
    const { task, model } = await openRun(out)
    const values = { text: 'whale sea ship <extra_id_0> storm oil crew' }
    const [row] = await task.predict(model, [{ values, file: 'x', number: 1 }])
    expect(String(row.spans)).toContain('harpoon')
  })

  it('goes on bit for bit where it stopped', async () => {
    const short = { ...settings, steps: 12, dropout: 0.1, evalEvery: 5, saveEvery: 4, dim: 16 }
    await trainTiny(at('whole'), short)
    await trainTiny(at('parts'), short, { stopAt: 7 })
    await trainTiny(at('parts'), short, { resume: true })
    expect(await weightsOf(at('parts'))).toEqual(await weightsOf(at('whole')))
    expect(linesOf(at('parts'))).toEqual(linesOf(at('whole')))
  })

  it('says when there are too few sentinels', async () => {
    await expect(
      trainTiny(at('none'), { ...settings, context: 4096, spanLength: 1 }),
    ).rejects.toThrow(
      heedError('unsupported', { mentions: ['614 sentinels', '4096 tokens', 'got 100'] }),
    )
  })
})

describe('text to text', () => {
  // the last word of each
  const rows = Array.from({ length: 400 }, (_, n) => {
    const source = [3, 5, 2].map((step, i) => words[(n * step + i + (n >> 3)) % words.length])
    return { source: source.join(' '), target: source[2] }
  })
  const file = writeRows(at('last.jsonl'), rows)

  it('is learnt by t5, with a prefix', async () => {
    const out = at('last')
    const task = {
      task: 'text2text-generation',
      data: [file],
      prefix: 'last: ',
      epochs: 14,
      lr: 2e-3,
    }
    const { evaluation } = await trainTiny(out, { ...keys, ...task, dropout: 0 })
    expect(evaluation?.metrics.exact_match).toBeGreaterThan(0.9)
    const { task: opened, model } = await openRun(out)
    const { source, target } = rows[17]
    const values = { source }
    const [row] = await opened.predict(model, [{ values, file: 'x', number: 1 }])
    expect(row).toEqual({ text: target })
    const write = await pipeline('text2text-generation', out)
    expect(await write(`last: ${source}`)).toEqual([{ generated_text: target }])
  })

  it('names rows that are wrong', async () => {
    const wrong = writeRows(at('wrong.jsonl'), [...rows.slice(0, 3), { source: 'x', target: null }])
    await expect(
      trainTiny(at('none'), { ...keys, task: 'text2text-generation', data: [wrong] }),
    ).rejects.toThrow(
      heedError('invalid-data', { mentions: ['wrong.jsonl:4', "'target'", 'got null'] }),
    )
  })
})
