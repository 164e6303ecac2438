// Runs that adapt a language model to a domain: further pieces, another tokenizer, and general text mixed in.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadAdapter } from '../../src/adapt/index.ts'
import { type CausalLM, fromPretrained, remapTokenEmbeddings } from '../../src/models/index.ts'
import { tensor } from '../../src/tensor/index.ts'
import { Tokenizer, tokenPieces } from '../../src/tokenizers/index.ts'
import { evaluateRun } from '../../src/train/index.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { sentences } from '../tokenizers/extended.ts'
import { linesOf, scratch, trainTiny, weightsOf } from './support.ts'

const at = scratch()
const GGUF = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
const general = 'the cat sat on the mat and the dog ran after it, and then the cat sat down. '
const base = { data: [at('general.txt')], tokenizer: 'bpe:300', lr: 3e-3, warmup: 0, steps: 4 }
const domain = { data: [at('domain.txt')], from: at('base'), warmup: 0, lr: 3e-3, saveEvery: 3, evalEvery: 3 } // biome-ignore format: one line

beforeAll(async () => {
  await writeFile(at('general.txt'), general.repeat(80))
  await writeFile(at('domain.txt'), sentences.join('\n'))
  await trainTiny(at('base'), base)
})

const tableOf = async (dir: string): Promise<{ rows: readonly number[][]; vocabSize: number }> => {
  const model = await fromPretrained(dir)
  const { weight } = model.getModule('transformer.wte') as unknown as { weight: { data(): Promise<Float32Array>; shape: readonly number[] } } // biome-ignore format: one line
  const [vocabSize, width] = weight.shape
  const data = await weight.data()
  const rows = Array.from({ length: vocabSize }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]) // biome-ignore format: one line
  return { rows, vocabSize }
}

const meanOf = (rows: readonly (readonly number[])[]): number[] =>
  rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length)

const close = (a: readonly number[], b: readonly number[]): void =>
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i], 5)
  })

describe('extendTokenizer', () => {
  it('starts each new row at the mean of its pieces, and keeps the others', async () => {
    await trainTiny(at('frozen'), { ...domain, extendTokenizer: 40, lr: 1e-30, steps: 1, weightDecay: 0 }) // biome-ignore format: one line
    const [before, after] = [await tableOf(at('base')), await tableOf(at('frozen'))]
    expect(after.vocabSize).toBe(before.vocabSize + 40)
    const [old, extended] = [await Tokenizer.fromFile(at('base')), await Tokenizer.fromFile(at('frozen'))] // biome-ignore format: one line
    expect(extended.vocabSize).toBe(after.vocabSize)
    tokenPieces(old, extended).forEach((ids, id) => {
      close(after.rows[id], meanOf(ids.map((piece) => before.rows[piece])))
    })
  })

  it('learns, resumes bit for bit, and needs fewer tokens', async () => {
    const keys = { ...domain, extendTokenizer: 40, mix: `${at('general.txt')}:0.25`, steps: 6 }
    await trainTiny(at('whole'), keys)
    await trainTiny(at('stopped'), keys, { stopAt: 3 })
    await trainTiny(at('stopped'), keys, { resume: true })
    expect(await weightsOf(at('stopped'))).toEqual(await weightsOf(at('whole')))
    expect(linesOf(at('stopped'))).toEqual(linesOf(at('whole')))
    const lines = linesOf(at('whole')).filter((line) => 'val_loss' in line)
    expect(lines.at(-1)?.val_loss).toBeLessThan(lines[0].val_loss)
    const { metrics } = await evaluateRun(at('whole'))
    expect(metrics.loss).toBeCloseTo(lines.at(-1)?.val_loss ?? 0, 4)
    for (const name of ['bits_per_character', 'mix_bits_per_character'])
      expect(metrics[name]).toBeCloseTo(lines.at(-1)?.[`val_${name}`] ?? 0, 4)
  })

  it('is saved with an adapter, whose base stays as it is', async () => {
    const adapter = 'lora:r=2,targets=all-linear'
    await trainTiny(at('adapter'), { ...domain, extendTokenizer: 40, adapter, lr: 0.01, steps: 4 })
    const config = JSON.parse(await readFile(at('adapter/adapter_config.json'), 'utf8'))
    expect(config.modules_to_save).toEqual(['transformer.wte', 'lm_head'])
    const { vocabSize } = await tableOf(at('base'))
    const model: CausalLM = await fromPretrained(at('adapter'))
    expect(model.vocabSize).toBe(vocabSize + 40)
    const { metrics } = await evaluateRun(at('adapter'))
    expect(metrics.loss).toBeCloseTo(Number(linesOf(at('adapter')).at(-1)?.val_loss), 4)
    const other = await fromPretrained(at('base'))
    const pieces = tokenPieces(await Tokenizer.fromFile(at('base')), await Tokenizer.fromFile(at('adapter'))) // biome-ignore format: one line
    await remapTokenEmbeddings(other, pieces)
    await loadAdapter(other, at('adapter'))
    const ids = tensor([[5, 280, 9]], { dtype: 'i32' })
    expect(await other.forward(ids).data()).toEqual(await model.forward(ids).data())
  })

  it.each([
    ['a new model', { from: undefined }, 'invalid-option'],
    ['another tokenizer', { tokenizer: 'bpe:300' }, 'invalid-option'],
    ['more pieces than the data has', { extendTokenizer: 50_000 }, 'invalid-option'],
    ['the run of an adapter', { from: at('adapter') }, 'invalid-option'],
    ['embeddings in blocks', { from: GGUF, model: 'llama', adapter: 'lora' }, 'unsupported'],
    ['a tokenizer of characters', { from: at('characters') }, 'unsupported'],
  ] as const)('refuses %s', async (what, changes, code) => {
    if (what.includes('characters'))
      await trainTiny(at('characters'), { ...base, tokenizer: 'char' })
    const given = { ...domain, extendTokenizer: 4, ...changes }
    await expect(trainTiny(at('refused'), given)).rejects.toThrow(heedError(code))
  })
})

describe('tokenizer with a model to fine-tune', () => {
  it('gives the model another tokenizer: shared rows are kept, others are means', async () => {
    const keys = { ...domain, tokenizer: 'bpe:340', lr: 1e-30, steps: 1, weightDecay: 0 }
    await trainTiny(at('other'), keys)
    const [before, after] = [await tableOf(at('base')), await tableOf(at('other'))]
    const [old, made] = [
      await Tokenizer.fromFile(at('base')),
      await Tokenizer.fromFile(at('other')),
    ]
    expect(after.vocabSize).toBe(made.vocabSize)
    const pieces = tokenPieces(old, made)
    expect(pieces.filter((ids) => ids.length > 1).length).toBeGreaterThan(30)
    pieces.forEach((ids, id) => {
      close(after.rows[id], meanOf(ids.map((piece) => before.rows[piece])))
    })
    const { eos_token_id } = JSON.parse(await readFile(at('other/config.json'), 'utf8'))
    expect(eos_token_id).toBe(made.eosTokenId)
    expect((await evaluateRun(at('other'))).metrics.loss).toBeGreaterThan(0)
  })

  it('is refused by tasks that keep the tokenizer, and with an adapter', async () => {
    await writeFile(at('rows.jsonl'), '{"prompt":"a","completion":"b"}\n'.repeat(8))
    const chat = { ...domain, task: 'chat', template: 'chatml', data: [at('rows.jsonl')], tokenizer: 'bpe:300' } // biome-ignore format: one line
    const error = heedError('invalid-option', { key: 'tokenizer', value: 'bpe:300' })
    await expect(trainTiny(at('refused'), chat)).rejects.toThrow(error)
    const adapted = { ...domain, tokenizer: 'bpe:300', adapter: 'lora' }
    await expect(trainTiny(at('refused'), adapted)).rejects.toThrow(error)
  })
})

describe('mix', () => {
  it.each(['general.txt', ':0.1', 'x:0', 'x:1', 'x:1.5', 'x:-0.1', 'x:0.1.2'])(
    'refuses %s',
    async (mix) => {
      const run = (async () => trainTiny(at('refused'), { ...domain, mix, steps: 2 }))()
      await expect(run).rejects.toThrow(heedError('invalid-option', { key: 'mix', value: mix }))
    },
  )

  it('refuses a file that is not there, and a text that is too short', async () => {
    const keys = { ...domain, steps: 2 }
    await expect(trainTiny(at('refused'), { ...keys, mix: 'absent.txt:0.1' })).rejects.toThrow(
      heedError('missing-file', { key: 'mix', mentions: 'absent.txt' }),
    )
    await writeFile(at('short.txt'), 'too short')
    await expect(
      trainTiny(at('refused'), { ...keys, mix: `${at('short.txt')}:0.1` }),
    ).rejects.toThrow(heedError('invalid-data', { key: 'mix' }))
  })

  it('is a flag, whose text may be rows', async () => {
    await writeFile(at('rows.csv'), `text\n${`"${general}"\n`.repeat(40)}`)
    const flags = ['--from', at('base'), '--data', at('domain.txt'), '--context', '32', '--batch', '4', '--steps', '2'] // biome-ignore format: one line
    const { mistake, code } = await heed('train', ...flags, '--extend-tokenizer', '8', '--mix', `${at('rows.csv')}:0.5`, '--out', at('flags')) // biome-ignore format: one line
    expect([code, mistake.includes('error')]).toEqual([0, false])
    const { out } = await heed('eval', at('flags'), '--json')
    expect(JSON.parse(out).metrics.mix_bits_per_character).toBeGreaterThan(0)
    const wrong = await heed('train', ...flags, '--extend-tokenizer', '9999', '--out', at('wrong'))
    expect(wrong.mistake).toContain('--extend-tokenizer')
  })
})
