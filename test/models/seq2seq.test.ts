import { describe, expect, it, vi } from 'vitest'
import { cat, full, manualSeed, type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import {
  fromPretrained,
  type Head,
  Marian,
  T5ForConditionalGeneration,
  T5ForTokenClassification,
} from '../../src/models/index.ts'
import { captureAttention } from '../../src/nn/index.ts'
import { expectClose } from '../support/close.ts'
import { allDevices, onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'
import { loadSeq2Seq, seq2seqVariants } from './seq2seq-fixture.ts'

const tinyT5 = { vocab_size: 11, d_model: 8, d_kv: 3, d_ff: 8, num_layers: 2, num_heads: 2 }
const tinyMarian = {
  vocab_size: 11,
  d_model: 8,
  encoder_layers: 1,
  decoder_layers: 2,
  encoder_attention_heads: 2,
  decoder_attention_heads: 2,
  encoder_ffn_dim: 8,
  decoder_ffn_dim: 8,
  max_position_embeddings: 12,
  pad_token_id: 2,
  init_std: 0.5,
}

onEach(allDevices, () => {
  it.each(seq2seqVariants)('%s, %s: computes what transformers computes', async (path, variant) => {
    const { model, input, attentionMask, labels, tolerance, want, ...told } = await loadSeq2Seq(
      path,
      variant,
    )
    const encoded = model.encode(input, { attentionMask })
    const counted = encoded.mul(attentionMask.unsqueeze(-1))
    await expectClose(counted, want('encoded'), tolerance)
    const start = full([labels.shape[0], 1], model.decoderStartTokenId, 'i32')
    const before = labels.lt(0).where(full(labels.shape, model.padTokenId, 'i32'), labels)
    const decoderIds = cat([start, before.narrow(1, 0, labels.shape[1] - 1)], 1)
    const logits = model.forward(input, decoderIds, { attentionMask })
    await expectClose(logits, want('logits'), tolerance)

    const loss = model.loss(input, labels, { attentionMask })
    loss.backward()
    expect(await loss.item()).toBeCloseTo(told.loss, 4)
    const parameters = new Map(model.namedParameters())
    for (const name of told.gradients)
      await expectClose(parameters.get(name)?.grad as Tensor, want(`grad.${name}`), 1e-3)
    const smoothed = model.loss(input, labels, { attentionMask, labelSmoothing: 0.1 })
    expect(await smoothed.item()).toBeCloseTo(told.smoothedLoss, 4)
  })
})

onEach(oneOfEach, () => {
  it('MarianForCausalLM: computes what transformers computes, with a cache too', async () => {
    const dir = 'test/fixtures/marian/decoder'
    const told = await readJsonObject(`${dir}/expected/base.json`)
    const file = await openSafetensors(`${dir}/expected/base.safetensors`)
    const read = async (name: string): Promise<Tensor> =>
      tensor(await file.read(name, { as: 'f32' }), { shape: file.info(name).shape })
    const ids = (await read('input_ids')).to('i32')
    const want = await read('logits')
    const model = await fromPretrained(dir)
    const [batch, tokens] = ids.shape
    const logits = model.forward(ids)
    await expectClose(logits, want, 1e-4)
    const loss = model.loss(ids.narrow(1, 0, tokens - 1), ids.narrow(1, 1, tokens - 1))
    loss.backward()
    expect(await loss.item()).toBeCloseTo(told.loss as number, 4)
    const parameters = new Map(model.namedParameters())
    for (const name of told.gradients as string[])
      await expectClose(parameters.get(name)?.grad as Tensor, await read(`grad.${name}`), 1e-3)
    await file.close()

    const cache = model.createCache({ batch, capacity: tokens + 2 })
    for (const [start, size] of [
      [0, 5],
      [5, 1],
      [6, tokens - 6],
    ]) {
      // biome-ignore format: steps
      const part = model.forward(ids.narrow(1, start, size), { cache })
      await expectClose(part, want.narrow(1, start, size), 1e-4)
      cache.advance(size)
    }
  })

  describe.each([
    [
      'T5',
      () => new T5ForConditionalGeneration({ ...tinyT5, relative_attention_max_distance: 20 }),
    ],
    ['Marian', () => new Marian(tinyMarian)],
  ])('%s', (_, make) => {
    it('decodes with a cache what it decodes without, the source being read once', async () => {
      manualSeed(1)
      const model = make().eval()
      const source = tensor([[3, 4, 5, 6, 7], [8, 9, 10, 2, 2]], { dtype: 'i32' }) // biome-ignore format: rows
      const mask = tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).ne(0) // biome-ignore format: rows
      const target = tensor([[2, 3, 4, 5, 6, 7], [2, 9, 8, 7, 6, 5]], { dtype: 'i32' }) // biome-ignore format: rows
      const whole = model.forward(source, target, { attentionMask: mask })
      const cache = model.createCache({ capacity: 8, sourceLength: 5, batch: 2 })
      const encoded = model.encode(source, { attentionMask: mask })
      for (const [at, size] of [
        [0, 1],
        [1, 1],
        [2, 3],
        [5, 1],
      ]) {
        // biome-ignore format: steps
        const part = model.decode(target.narrow(1, at, size), {
          cache,
          encodedMask: mask,
          encoded: at === 0 ? encoded : undefined,
        })
        await expectClose(part, whole.narrow(1, at, size))
        cache.advance(size)
      }
      const last = tensor([5], { dtype: 'i32' })
      const at = model.decode(target, { encoded, encodedMask: mask, logitsAt: last })
      await expectClose(at, whole.narrow(1, 5, 1))
    })
  })
})

describe('encoder-decoders', () => {
  it('do not see padding, nor what comes later', async () => {
    manualSeed(2)
    const model = new Marian(tinyMarian).eval()
    const run = async (source: number[], mask: number[], target: number[]): Promise<number[][]> => {
      const logits = model.forward(
        tensor([source], { dtype: 'i32' }),
        tensor([target], { dtype: 'i32' }),
        { attentionMask: tensor([mask]).ne(0) },
      )
      return (await logits.squeeze(0).tolist()) as number[][]
    }
    const a = await run([3, 4, 5, 2, 2], [1, 1, 1, 0, 0], [2, 3, 4])
    expect(await run([3, 4, 5, 9, 8], [1, 1, 1, 0, 0], [2, 3, 4])).toEqual(a)
    const b = await run([3, 4, 5, 2, 2], [1, 1, 1, 0, 0], [2, 3, 9])
    expect(b.slice(0, 2)).toEqual(a.slice(0, 2))
    expect(b[2]).not.toEqual(a[2])
  })

  it('show what they look at', async () => {
    const model = new Marian(tinyMarian).eval()
    const ids = tensor([[3, 4, 5]], { dtype: 'i32' })
    const { attentions } = captureAttention(() => model.forward(ids, ids.narrow(1, 0, 2)))
    expect([...attentions.values()].map(({ shape }) => shape.join())).toEqual([
      '1,2,3,3',
      ...Array(2).fill(['1,2,2,2', '1,2,2,3']).flat(),
    ])
  })

  it('say what does not fit', () => {
    expect(() => new T5ForConditionalGeneration({ feed_forward_proj: 'gated-what' })).toThrow(
      heedError('invalid-config', {
        key: 'feed_forward_proj',
        value: 'gated-what',
        mentions: 'gelu_new',
      }),
    )
    expect(() => new T5ForConditionalGeneration({ relative_attention_max_distance: 16 })).toThrow(
      heedError('invalid-config', {
        key: 'relative_attention_max_distance',
        value: 16,
        mentions: '(32)',
      }),
    )
    expect(() => new Marian({ ...tinyMarian, decoder_attention_heads: 3 })).toThrow(
      heedError('invalid-config', {
        key: 'decoder_attention_heads',
        value: 3,
        mentions: ['d_model', '(8)'],
      }),
    )
    expect(() => new Marian({ ...tinyMarian, pad_token_id: 11 })).toThrow(
      heedError('invalid-config', { key: 'pad_token_id', value: 11, mentions: '(11)' }),
    )
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    new Marian({ ...tinyMarian, normalize_before: true } as object)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('normalize_before true'))
    warn.mockRestore()
    const model = new Marian(tinyMarian)
    const long = tensor([Array(13).fill(3)], { dtype: 'i32' })
    expect(() => model.encode(long)).toThrow(heedError('shape', { mentions: '12 tokens' }))
    const ids = tensor([[3, 4]], { dtype: 'i32' })
    expect(() => model.decode(ids, {})).toThrow(heedError('invalid-state', { key: 'encoded' }))
    const cache = model.createCache({ capacity: 4, sourceLength: 3 })
    expect(() => model.decode(ids, { cache, encoded: model.encode(ids) })).toThrow(
      heedError('shape', { mentions: '(1, 2, 3, 4)' }),
    )
  })

  it('take sizes by the names that transformers also knows', () => {
    const sizes = { hidden_size: 8, num_attention_heads: 4, num_hidden_layers: 3 } as object
    const t5 = new T5ForConditionalGeneration({ ...sizes, head_dim: 2 } as object)
    expect(t5.config).toMatchObject({ d_model: 8, num_heads: 4, num_layers: 3, d_kv: 2 })
    const { config } = new Marian({ ...sizes, decoder_layers: 1, decoder_attention_heads: 2 })
    expect(config).toMatchObject({ d_model: 8, encoder_attention_heads: 4, encoder_layers: 3 })
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const both = new Marian({ ...sizes, d_model: 16, decoder_attention_heads: 2 })
    expect(both.config.d_model).toBe(8)
    expect(warn).toHaveBeenCalledWith(
      expect.stringMatching(/Marian: hidden_size \(8\) .* precedence over d_model \(16\)/),
    )
    warn.mockRestore()
  })

  it('give the weights below another head', async () => {
    const dir = 'test/fixtures/t5/tied'
    const fresh = async (head: Head): Promise<string[]> => {
      const names: string[] = []
      await fromPretrained(dir, head, { onNew: (all) => void names.push(...all) })
      return names
    }
    const layers = (name: string): string[] => [`${name}.weight`, `${name}.bias`]
    expect(await fresh('token-classification')).toEqual(layers('classifier'))
    expect(await fresh('question-answering')).toEqual(layers('qa_outputs'))
    expect(await fresh('sequence-classification')).toEqual(
      ['dense', 'out_proj'].flatMap((name) => layers(`classification_head.${name}`)),
    )
    const both = await fromPretrained(dir, 'seq2seq-lm')
    const { transformer } = await fromPretrained(dir, 'token-classification').then(asT5)
    const ids = tensor([[5, 6, 7]], { dtype: 'i32' })
    expect(await transformer.forward(ids).data()).toEqual(await both.encode(ids).data())
  })

  it('of another head are told from those that write', async () => {
    await expect(fromPretrained('test/fixtures/t5/tied')).rejects.toThrow(
      heedError('unsupported', {
        key: 'head',
        value: 'causal-lm',
        mentions: ['T5', 'seq2seq-lm, encoder'],
      }),
    )
    const encoder = await fromPretrained('test/fixtures/t5/tied', 'encoder')
    const both = await fromPretrained('test/fixtures/t5/tied', 'seq2seq-lm')
    const ids = tensor([[5, 6, 7]], { dtype: 'i32' })
    expect(await encoder.forward(ids).data()).toEqual(await both.encode(ids).data())
  })
})

function asT5(model: unknown): T5ForTokenClassification {
  if (model instanceof T5ForTokenClassification) return model
  throw new Error('not a T5')
}
