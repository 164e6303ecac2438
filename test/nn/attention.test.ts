import { beforeAll, describe, expect, it } from 'vitest'
import { F, manualSeed, randn, realize, type Tensor, tensor } from '../../src/index.ts'
import {
  attention,
  attentionWeights,
  captureActivations,
  captureAttention,
  KVCache,
  MultiHeadAttention,
  splitHeads,
} from '../../src/nn/index.ts'
import { expectWithin } from '../support/close.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

/** Fixed numbers, so that two graphs see the same ones. */
const random = async (...shape: number[]): Promise<Tensor> =>
  tensor((await randn(shape).data()) as Float32Array, { shape })

beforeAll(() => void manualSeed(1))

onEach(allDevices, () => {
  describe('weights', () => {
    it('sum to one in each row', async () => {
      const [q, k] = [await random(2, 3, 5, 4), await random(2, 3, 5, 4)]
      for (const sum of await list(attentionWeights(q, k, { causal: true }).sum(-1)))
        expect(sum).toBeCloseTo(1, 6)
    })

    it('give the values that attention gives: causal, grouped, masked, scaled, in a cache', async () => {
      const [q, k, v] = [
        await random(2, 4, 3, 8),
        await random(2, 2, 6, 8),
        await random(2, 2, 6, 8),
      ]
      const mask = tensor([true, true, false, true, true, true])
      const bias = await random(3, 6)
      const length = tensor(4, { dtype: 'i32' })
      for (const options of [
        {},
        { causal: true },
        { mask },
        { mask: bias, scale: 0.7 },
        { causal: true, length },
      ]) {
        const weights = attentionWeights(q, k, options)
        const out = F.scaledDotProductAttention(q, k, v, options)
        await expectWithin(weights.matmul(v.repeatInterleave(2, 1)), out)
      }
    })
  })

  describe('attention', () => {
    it('is equivariant under permutation of its tokens when it is not causal', async () => {
      const [q, k, v] = [await random(1, 3, 8), await random(1, 3, 8), await random(1, 3, 8)]
      const order = tensor([2, 0, 1], { dtype: 'i32' })
      const move = (x: Tensor): Tensor => x.take(order, 1)
      const options = { heads: 2 }
      await expectWithin(
        attention(move(q), move(k), move(v), options),
        move(attention(q, k, v, options)),
      )
      const causal = { heads: 2, causal: true }
      const difference = attention(move(q), move(k), move(v), causal).sub(
        move(attention(q, k, v, causal)),
      )
      expect(await difference.abs().amax().item()).toBeGreaterThan(0.1)
    })

    it('with a cache, in pieces of any size, equals attention over the whole', async () => {
      const [q, k, v] = [await random(2, 7, 8), await random(2, 7, 4), await random(2, 7, 4)]
      const shape = { heads: 4, kvHeads: 2, causal: true }
      const whole = attention(q, k, v, shape)
      const cache = new KVCache({ layers: 1, heads: 2, headDim: 2, capacity: 9, batch: 2 })
      for (const [start, size] of [
        [0, 4],
        [4, 1],
        [5, 2],
      ]) {
        const [a, b, c] = [q, k, v].map((x) => x.narrow(1, start, size))
        const part = attention(a, b, c, { ...shape, cache: cache.layers[0] })
        await realize([part, cache.layers[0].keys, cache.layers[0].values])
        cache.advance(size)
        await expectWithin(part, whole.narrow(1, start, size))
      }
      expect(cache.length).toBe(7)
      expect(() => cache.advance(3)).toThrow(
        heedError('invalid-state', { mentions: ['got 3', '2 free'] }),
      )
      const late = q.narrow(1, 0, 3)
      const kv = k.narrow(1, 0, 3)
      expect(() => attention(late, kv, kv, { ...shape, cache: cache.layers[0] })).toThrow(
        heedError('invalid-state', { mentions: '2 free' }),
      )
      cache.reset()
      const again = attention(late, kv, v.narrow(1, 0, 3), { ...shape, cache: cache.layers[0] })
      await expectWithin(again, whole.narrow(1, 0, 3))
    })

    it('says which width its heads do not divide', () => {
      const split = (heads: number) => () => splitHeads(randn([1, 2, 6]), heads)
      expect(split(4)).toThrow(
        heedError('invalid-option', {
          key: 'heads',
          value: 4,
          try: { heads: [1, 2, 3, 6] },
          mentions: '(6)',
        }),
      )
      for (const heads of [1, 2, 3, 6]) expect(split(heads)).not.toThrow()
    })
  })

  describe('MultiHeadAttention', () => {
    const layer = (): MultiHeadAttention => new MultiHeadAttention({ embedDim: 8, heads: 2 }).eval()

    it('has the names of PyTorch', () => {
      expect(Object.keys(layer().stateDict())).toEqual([
        'in_proj_weight',
        'in_proj_bias',
        'out_proj.weight',
        'out_proj.bias',
      ])
    })

    it('attends to another sequence, and takes the batch second when asked', async () => {
      const mha = layer()
      const [x, memory] = [await random(3, 4, 8), await random(3, 6, 8)]
      const y = mha.forward(x, memory)
      const twin = new MultiHeadAttention({ embedDim: 8, heads: 2, batchFirst: false }).eval()
      twin.loadStateDict(mha.stateDict())
      await expectWithin(twin.forward(x.transpose(0, 1), memory.transpose(0, 1)).transpose(0, 1), y)
    })

    it('hides what its masks are true for', async () => {
      const mha = layer()
      const x = await random(1, 3, 8)
      const attnMask = tensor([
        [false, true, true],
        [false, false, true],
        [false, false, false],
      ])
      await expectWithin(mha.forward(x, x, x, { attnMask }), mha.forward(x, x, x, { causal: true }))
      const added = attnMask.where(Number.NEGATIVE_INFINITY, 0)
      await expectWithin(
        mha.forward(x, x, x, { attnMask: added }),
        mha.forward(x, x, x, { causal: true }),
      )
      const keyPaddingMask = tensor([[false, false, true]])
      const short = x.narrow(1, 0, 2)
      await expectWithin(mha.forward(x, x, x, { keyPaddingMask }), mha.forward(x, short))
      const both = mha.forward(x, x, x, { keyPaddingMask, attnMask })
      await expectWithin(both.narrow(1, 0, 2), mha.forward(short, short, short, { causal: true }))
    })

    it('shows its weights and activations by path', async () => {
      const mha = layer()
      const x = await random(1, 3, 8)
      const { result, attentions } = captureAttention(() => mha.forward(x))
      expect([...attentions.keys()]).toEqual([''])
      expect(attentions.get('')?.shape).toEqual([1, 2, 3, 3])
      const seen = captureActivations(mha, ['out_proj'], () => mha.forward(x))
      await expectWithin(seen.activations.get('out_proj') as Tensor, result)
    })
  })
})
