import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateSeq2Seq, seq2SeqBeams } from '../../src/generate/index.ts'
import { manualSeed, type Tensor, tensor } from '../../src/index.ts'
import {
  countModel,
  fromPretrained,
  headOf,
  Marian,
  Seq2SeqRNN,
  savePretrained,
} from '../../src/models/index.ts'
import { captureAttention } from '../../src/nn/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { expectWithin } from '../support/close.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const tiny = { vocab_size: 11, embedding_size: 6, hidden_size: 8, init_std: 1, dropout: 0 }
const variants = [
  ['gru, additive', { cell_type: 'gru', attention_type: 'additive' }],
  ['lstm, none, two layers', { cell_type: 'lstm', attention_type: 'none', num_hidden_layers: 2 }],
  ['lstm, dot, two layers, one direction', { cell_type: 'lstm', attention_type: 'dot', num_hidden_layers: 2, bidirectional: false }], // biome-ignore format: a variant
  ['rnn, mlp, nothing shared', { cell_type: 'rnn', attention_type: 'mlp', share_encoder_decoder_embeddings: false, tie_word_embeddings: false }], // biome-ignore format: a variant
] as const

const source = (): Tensor => tensor([[3, 4, 5, 6, 7], [8, 9, 10, 0, 0]], { dtype: 'i32' }) // biome-ignore format: rows
const mask = (): Tensor => tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).ne(0) // biome-ignore format: rows
const target = (): Tensor => tensor([[0, 3, 4, 5, 6, 7], [0, 9, 8, 7, 6, 5]], { dtype: 'i32' }) // biome-ignore format: rows

onEach(oneOfEach, () => {
  describe.each(variants)('%s', (_, config) => {
    it('decodes with a cache what it decodes without', async () => {
      const [ids, counted, wanted] = [source(), mask(), target()]
      manualSeed(1)
      const model = new Seq2SeqRNN({ ...tiny, ...config }).eval()
      const whole = model.forward(ids, wanted, { attentionMask: counted })
      const cache = model.createCache({ capacity: 8, sourceLength: 5, batch: 2 })
      const encoded = model.encode(ids, { attentionMask: counted })
      for (const [at, size] of [
        [0, 1],
        [1, 1],
        [2, 3],
        [5, 1],
      ]) {
        // biome-ignore format: steps
        const given = at === 0 ? { encoded } : {}
        const part = model.decode(wanted.narrow(1, at, size), {
          cache,
          encodedMask: counted,
          ...given,
        })
        await expectWithin(part, whole.narrow(1, at, size))
        cache.advance(size)
      }
      const last = tensor([5], { dtype: 'i32' })
      const at = model.decode(wanted, { encoded, encodedMask: counted, logitsAt: last })
      await expectWithin(at, whole.narrow(1, 5, 1))
    })

    it('does not see padding, nor what comes later', async () => {
      const [ids, counted, wanted] = [source(), mask(), target()]
      manualSeed(2)
      const model = new Seq2SeqRNN({ ...tiny, ...config }).eval()
      const other = tensor([[3, 4, 5, 6, 7], [8, 9, 10, 4, 2]], { dtype: 'i32' }) // biome-ignore format: rows
      const a = model.forward(ids, wanted, { attentionMask: counted })
      await expectWithin(model.forward(other, wanted, { attentionMask: counted }), a)
      const alone = model.forward(ids.narrow(1, 0, 3), wanted).narrow(0, 1, 1)
      await expectWithin(alone, a.narrow(0, 1, 1))
      const begun = model.forward(ids, wanted.narrow(1, 0, 4), { attentionMask: counted })
      await expectWithin(begun, a.narrow(1, 0, 4))
    })
  })
})

describe('recurrent encoder-decoders', () => {
  it.each(variants)('%s: saved and opened again', async (_, config) => {
    const dir = await mkdtemp(join(tmpdir(), 'heed-rnn-'))
    try {
      manualSeed(3)
      const [ids, wanted] = [source(), target()]
      const model = new Seq2SeqRNN({ ...tiny, ...config }).eval()
      await savePretrained(model, dir)
      const opened = (await fromPretrained(dir, 'seq2seq-lm')).eval() as Seq2SeqRNN
      expect(headOf({ ...opened.config, model_type: 'seq2seq_rnn' })).toBe('seq2seq-lm')
      await expectWithin(opened.forward(ids, wanted), model.forward(ids, wanted))
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })

  it('show what they look at: a row for each token that is written', async () => {
    const model = new Seq2SeqRNN(tiny).eval()
    const { attentions } = captureAttention(() =>
      model.forward(source(), target(), { attentionMask: mask() }),
    )
    const [[path, weights]] = attentions
    expect([path, weights.shape]).toEqual(['model.decoder', [2, 1, 6, 5]])
    const rows = (await weights.tolist()) as number[][][][]
    for (const row of rows.flat(2)) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    for (const row of rows[1][0]) expect(row.slice(3)).toEqual([0, 0])
  })

  it('are counted as others are', () => {
    const model = new Seq2SeqRNN(tiny)
    const { parameters, forwardFlops, cacheBytes } = countModel(model, 5)
    expect(parameters).toBe(model.parameters().reduce((sum, { size }) => sum + size, 0))
    expect(forwardFlops).toBeGreaterThan(2 * tiny.vocab_size * tiny.embedding_size)
    expect(cacheBytes).toBe(0)
  })

  it('say what does not fit', () => {
    expect(() => new Seq2SeqRNN({ hidden_size: 7 })).toThrow(
      heedError('invalid-config', { key: 'hidden_size', value: 7 }),
    )
    expect(() => new Seq2SeqRNN({ vocab_size: 5, pad_token_id: 5 })).toThrow(
      heedError('invalid-config', {
        key: 'pad_token_id',
        value: 5,
        mentions: ['vocab_size', '(5)'],
      }),
    )
    expect(() => new Seq2SeqRNN({ attention_type: 'much' as 'none' })).toThrow(
      heedError('invalid-config', { key: 'attention_type' }),
    )
    const model = new Seq2SeqRNN({ ...tiny, max_position_embeddings: 4 })
    expect(() => model.encode(source())).toThrow(heedError('shape', { mentions: '4 tokens' }))
    const ids = source().narrow(1, 0, 2)
    expect(() => model.decode(ids, {})).toThrow(heedError('invalid-option', { key: 'encoded' }))
    const cache = model.createCache({ capacity: 4, sourceLength: 3 })
    expect(() => model.decode(ids, { cache, encoded: model.encode(ids) })).toThrow(
      heedError('shape', { mentions: ['(1, 4, 8)', '(2, 3, 8)'] }),
    )
    const other = new Marian({ vocab_size: 4, d_model: 4, encoder_layers: 1, decoder_layers: 1, encoder_attention_heads: 1, decoder_attention_heads: 1, pad_token_id: 0 }).createCache({ capacity: 4, sourceLength: 2 }) // biome-ignore format: a model
    expect(() => model.decode(ids, { cache: other, encoded: model.encode(ids) })).toThrow(
      heedError('invalid-option', { key: 'cache' }),
    )
    expect(() => cache.rewind(1)).toThrow(heedError('unsupported', { mentions: 'rewind(1)' }))
  })

  it('learn to write strings of digits backwards, alone and with beams', async () => {
    const [PAD, END, LONGEST] = [0, 1, 6]
    manualSeed(1)
    const model = new Seq2SeqRNN({
      vocab_size: 12,
      embedding_size: 24,
      hidden_size: 48,
      dropout: 0,
      init_std: 0.3,
    })
    const optimizer = new AdamW(model.parameters(), { lr: 6e-3, weightDecay: 0, maxGradNorm: 1 })
    let state = 7
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
    const draw = (): number[] => Array.from({ length: 3 + below(LONGEST - 2) }, () => 2 + below(10))
    const rows = (words: number[][], behind: number): Tensor =>
      tensor(
        words.map((word) => [...word, END, ...Array(LONGEST - word.length).fill(behind)]),
        { dtype: 'i32' },
      )
    for (let step = 0; step < 350; step++) {
      const words = Array.from({ length: 64 }, draw)
      const ids = rows(words, PAD)
      const labels = rows(
        words.map((word) => word.toReversed()),
        -100,
      )
      model.loss(ids, labels, { attentionMask: ids.ne(PAD) }).backward()
      await optimizer.step()
    }
    model.eval()
    const fresh = Array.from({ length: 50 }, draw)
    const sources = fresh.map((word) => [...word, END])
    const options = { maxTokens: LONGEST + 1, stopTokens: [END] }
    const written = await generateSeq2Seq(model, sources, options)
    const right = written.filter((text, i) => text.join() === fresh[i].toReversed().join())
    expect(right.length).toBeGreaterThanOrEqual(47)
    const found = await seq2SeqBeams(model, sources.slice(0, 5), { ...options, beams: 3 })
    expect(found.map(([{ tokens }]) => tokens.slice(0, -1))).toEqual(written.slice(0, 5))
  })
})
