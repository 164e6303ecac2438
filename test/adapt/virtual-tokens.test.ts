// Prompts and prefixes in every family: with and without a cache, with padding, on and off.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  type Adapter,
  adaptersOf,
  addAdapter,
  mergeAdapters,
  setAdapters,
} from '../../src/adapt/index.ts'
import { BatchDecoder, Decoder, Seq2SeqDecoder } from '../../src/generate/index.ts'
import { cat, manualSeed, randn, Tensor, tensor } from '../../src/index.ts'
import { type CausalLM, fromPretrained, type Head, type Seq2SeqLM } from '../../src/models/index.ts'
import { Linear, Sequential } from '../../src/nn/index.ts'
import { heedError } from '../support/heed-error.ts'

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const open = <H extends Head>(name: string, head: H) => fromPretrained(join(fixtures, name), head)
const text = [3, 14, 15, 9, 26, 5, 35]
const METHODS = [
  'prompt:tokens=3',
  'p-tuning:tokens=3',
  'prefix:tokens=3',
  'prefix:projection,tokens=2',
]
const DECODERS = ['llama/base', 'gpt2/small', 'bloom/base', 'gpt_neo/base', 'gemma/base', 'mistral/base', 'openai-gpt/base', 'qwen3/base'] // biome-ignore format: one line

const ids = (rows: readonly (readonly number[])[]): Tensor =>
  tensor(
    rows.map((row) => [...row]),
    { dtype: 'i32' },
  )

async function far(a: Tensor | ArrayLike<number>, b: Tensor | ArrayLike<number>): Promise<number> {
  const [x, y] = await Promise.all([a, b].map(async (t) => (t instanceof Tensor ? t.data() : t)))
  expect(x.length).toBe(y.length)
  const most = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs))
  return most(Array.from(x, (value, i) => value - y[i])) / Math.max(1, most(y))
}

function randomise(adapter: Adapter): void {
  for (const parameter of adapter.parameters()) parameter.assign(randn(parameter.shape).mul(0.5))
}

describe.each(DECODERS)('%s', (name) => {
  it.each(METHODS)('writes with a cache what it writes without: %s', async (spec) => {
    manualSeed(1)
    const model = await open(name, 'causal-lm')
    const { contextLength } = model
    const plain = await model.forward(ids([text])).data()
    const decoder = new Decoder(model, 16) // created before the adapter is added
    const baseStart = await decoder.start([text])
    const adapter = addAdapter(model, spec)
    randomise(adapter)
    expect(contextLength - model.contextLength).toBe(Number.isFinite(contextLength) ? Number(adapter.config.options.tokens) : Number.NaN) // biome-ignore format: one line
    const whole = model.forward(ids([text]))
    expect(whole.shape.slice(0, 2)).toEqual([1, text.length])
    expect(await far(whole, plain)).toBeGreaterThan(1e-4)

    const last = async (tokens: readonly number[]) => model.forward(ids([tokens])).select(1, tokens.length - 1).data() // biome-ignore format: one line
    expect(await far(await decoder.start([text.slice(0, 5)]), await last(text.slice(0, 5)))).toBeLessThan(2e-5) // biome-ignore format: one line
    expect(await far(await decoder.next([text[5]]), await last(text.slice(0, 6)))).toBeLessThan(
      2e-5,
    )
    expect(await far(await decoder.next([text[6]]), await last(text))).toBeLessThan(2e-5)
    expect(await far(await decoder.start([text]), await last(text))).toBeLessThan(2e-5)

    // Rows of different lengths, padded at the front.
    const rows = [text, text.slice(0, 3)]
    const batch = new BatchDecoder(model, { maxTokens: 4 })
    const expected = async (texts: readonly (readonly number[])[]) =>
      (await Promise.all(texts.map(last))).flatMap((row) => [...row])
    expect(await far(await batch.start(rows), await expected(rows))).toBeLessThan(2e-5)
    const longer = rows.map((row) => [...row, 8])
    expect(await far(await batch.next([8, 8]), await expected(longer))).toBeLessThan(2e-5)
    expect(await far(await batch.start(rows), await expected(rows))).toBeLessThan(2e-5)

    // A mask in one pass, with padding on either side.
    const padded = ids([text, [...text.slice(0, 4), 0, 0, 0]])
    const attentionMask = tensor([Array(7).fill(1), [1, 1, 1, 1, 0, 0, 0]]).ne(0)
    const masked = model.forward(padded, { attentionMask })
    const short = model.forward(ids([text.slice(0, 4)]))
    expect(await far(masked.narrow(0, 1, 1).narrow(1, 0, 4), short)).toBeLessThan(2e-5)
    const some = model.forward(ids([text]), { logitsAt: tensor([2, 6], { dtype: 'i32' }) })
    expect(await far(some, whole.take(tensor([2, 6], { dtype: 'i32' }), 1))).toBeLessThan(1e-5)

    setAdapters(model, {})
    expect(model.contextLength).toBe(contextLength)
    expect(await far(await decoder.start([text]), baseStart)).toBe(0)
    expect(await far(model.forward(ids([text])), plain)).toBe(0)
    setAdapters(model, { default: 1 })
    expect(await far(await decoder.start([text]), await last(text))).toBeLessThan(2e-5)
    // New values are read after the cache was emptied.
    randomise(adapter)
    decoder.rewind(0)
    expect(await far(await decoder.start([text]), await last(text))).toBeLessThan(2e-5)
  })
})

describe.each(['t5/tied', 'marian/shared'])('%s', (name) => {
  it.each(METHODS)('writes with a cache what it writes without: %s', async (spec) => {
    manualSeed(1)
    const model: Seq2SeqLM = await open(name, 'seq2seq-lm')
    const decoder = new Seq2SeqDecoder(model)
    const source = text.slice(0, 5)
    const target = [0, 7, 8, 9]
    const without = await decoder.read([source]).start([target])
    const adapter = addAdapter(model, spec)
    randomise(adapter)
    const last = async (from: readonly number[], to: readonly number[]) =>
      model
        .forward(ids([from]), ids([to]))
        .select(1, to.length - 1)
        .data()
    const rows = [source, text.slice(0, 2)]
    const expected = async (to: readonly number[]) =>
      (await Promise.all(rows.map((from) => last(from, to)))).flatMap((row) => [...row])
    const start = await decoder.read(rows).start([target, target])
    expect(await far(start, await expected(target))).toBeLessThan(2e-5)
    expect(await far(start.slice(0, without.length), without)).toBeGreaterThan(1e-4)
    expect(await far(await decoder.next([5, 5]), await expected([...target, 5]))).toBeLessThan(2e-5)
    setAdapters(model, {})
    expect(await far(await decoder.read([source]).start([target]), without)).toBe(0)
  })
})

describe.each([
  ['bert/token', 'token-classification'],
  ['bert/masked-lm', 'masked-lm'],
  ['bert/sequence', 'sequence-classification'],
  ['roberta/sequence', 'sequence-classification'],
  ['distilbert/sequence', 'sequence-classification'],
  ['modernbert/masked-lm', 'masked-lm'],
  ['bert/encoder', 'encoder'],
  ['llama/classifier', 'sequence-classification'],
] as const)('%s', (name, head) => {
  it.each(METHODS)('ignores padding: %s', async (spec) => {
    manualSeed(1)
    const model = await open(name, head)
    const forward = (rows: readonly (readonly number[])[], mask?: number[][]): Tensor => {
      const options = mask && { attentionMask: tensor(mask).ne(0) }
      return (model.forward as (x: Tensor, options?: object) => Tensor)(ids(rows), options)
    }
    const plain = await forward([text]).data()
    const adapter = addAdapter(model, spec)
    randomise(adapter)
    const whole = forward([text])
    expect(await far(whole, plain)).toBeGreaterThan(1e-5)
    const both = forward(
      [text, [...text.slice(0, 4), 1, 1, 1]],
      [Array(7).fill(1), [1, 1, 1, 1, 0, 0, 0]],
    )
    const short = forward([text.slice(0, 4)])
    const second = both.narrow(0, 1, 1)
    expect(await far(both.narrow(0, 0, 1), whole)).toBeLessThan(2e-5)
    expect(await far(short.rank === 3 ? second.narrow(1, 0, 4) : second, short)).toBeLessThan(2e-5)
  })
})

it('a prefix is a share λ of the attention: h ← (1 − λ)·h + λ·Δh', async () => {
  manualSeed(3)
  const { attention } = await import('../../src/nn/index.ts')
  const { attentionWeights, splitHeads } = await import('../../src/nn/attention.ts')
  const { changingKeyValues } = await import('../../src/nn/key-values.ts')
  const [q, k, v] = [0, 1, 2].map(() => randn([2, 5, 8]))
  const [pk, pv] = [0, 1].map(() => randn([2, 3, 8]))
  const changed = changingKeyValues(
    (own) => ({ k: cat([pk, own.k], 1), v: cat([pv, own.v], 1) }),
    () => attention(q, k, v, { heads: 2 }),
  )
  const weights = attentionWeights(splitHeads(q, 2), splitHeads(cat([pk, k], 1), 2)) // (B, H, T, P + S)
  const share = weights
    .narrow(3, 0, 3)
    .sum(3, true)
    .permute(0, 2, 1, 3)
    .expand(2, 5, 2, 4)
    .reshape(2, 5, 8)
  const h = attention(q, k, v, { heads: 2 })
  const delta = attention(q, pk, pv, { heads: 2 })
  expect(await far(changed, h.mul(share.mul(-1).add(1)).add(delta.mul(share)))).toBeLessThan(1e-6)
})

describe('virtual tokens are refused', () => {
  it('where a model cannot read them', async () => {
    const vit = await open('vit/classes', 'image-classification')
    expect(() => addAdapter(vit, 'prompt')).toThrow(heedError('unsupported', { key: 'method' }))
    expect(() => addAdapter(new Sequential(new Linear(2, 2)), 'prefix')).toThrow(
      heedError('unsupported', { key: 'method' }),
    )
    const resnet = await open('resnet/basic', 'image-classification')
    expect(() => addAdapter(resnet, 'prefix')).toThrow(heedError('unsupported', { key: 'method' }))
    const rnn = await import('../../src/models/index.ts')
    expect(() => addAdapter(new rnn.Seq2SeqRNN({ vocab_size: 9, hidden_size: 8, embedding_size: 8 }), 'prompt')).toThrow(heedError('unsupported', { key: 'method' })) // biome-ignore format: one line
  })

  it('where they fill the context, twice, in part, and when merged', async () => {
    const model: CausalLM = await open('gpt2/small', 'causal-lm')
    const { contextLength } = model
    expect(() => addAdapter(model, `prompt:tokens=${contextLength - 1}`)).toThrow(heedError('invalid-option', { key: 'tokens' })) // biome-ignore format: one line
    expect(() => addAdapter(model, 'prefix:targets=c_attn')).toThrow(heedError('unknown-name'))
    expect(() => addAdapter(model, 'prompt:layers=1')).toThrow(heedError('unknown-name'))
    expect(() => addAdapter(model, 'prompt:init=text')).toThrow(
      heedError('invalid-option', { key: 'text' }),
    )
    expect(() => addAdapter(model, 'prompt:init=text,text=ab')).toThrow(heedError('invalid-option', { key: 'tokenizer' })) // biome-ignore format: one line
    expect(adaptersOf(model)).toEqual([])
    expect(model.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true)
    addAdapter(model, `prefix:tokens=${contextLength - 2}`, { name: 'one' }).remove()
    addAdapter(model, 'prefix:tokens=2', { name: 'one' })
    expect(() => addAdapter(model, 'prompt', { name: 'two' })).toThrow(heedError('invalid-state'))
    addAdapter(model, 'lora', { name: 'lora' })
    expect(() => setAdapters(model, { one: 0.5 })).toThrow(heedError('invalid-option', { key: 'one', value: 0.5 })) // biome-ignore format: one line
    await expect(mergeAdapters(model)).rejects.toThrow(heedError('unsupported', { key: 'method' }))
    const cache = model.createCache()
    setAdapters(model, { lora: 1 })
    expect(() => model.forward(ids([text]), { cache })).toThrow(heedError('invalid-state', { key: 'cache' })) // biome-ignore format: one line
  })
})

describe('a prompt starts', () => {
  it('from tokens of the vocabulary, and from a text', async () => {
    const model = await open('gpt2/small', 'causal-lm')
    const table = await model.getModule('wte').parameters()[0].tolist()
    const rowsOf = async (adapter: Adapter) =>
      (await adapter.parameters()[0].tolist()) as number[][]
    const one = addAdapter(model, 'prompt:tokens=4,init=vocab')
    for (const row of await rowsOf(one)) expect(table).toContainEqual(row)
    one.remove()
    const tokenizer = { encode: () => [5, 6, 7] }
    const two = addAdapter(model, { method: 'prompt', tokens: 4, init: 'text', text: 'x' }, { tokenizer }) // biome-ignore format: one line
    expect(await rowsOf(two)).toEqual([5, 6, 7, 5].map((id) => (table as number[][])[id]))
  })
})
