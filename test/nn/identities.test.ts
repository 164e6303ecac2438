// What the papers say must hold: within 1e-6 of the largest value, and in single precision on every
// device within what its rounding adds up to.
import { describe, expect, it } from 'vitest'
import { arange, F, manualSeed, randn, type Tensor, tensor } from '../../src/index.ts'
import {
  alibi,
  attentionWeights,
  featureMaps,
  linearAttention,
  linearAttentionStep,
  type RopeParameters,
  Rotary,
  rotate,
  Sinusoidal,
} from '../../src/nn/index.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { profile } from '../../src/tensor/profile.ts'
import { onEach, oneOfEach, timedDevices } from '../support/devices.ts'

async function expectSame(got: Tensor, want: Tensor): Promise<void> {
  expect(got.shape).toEqual(want.shape)
  const scale = await want.abs().amax().item()
  expect(scale).toBeGreaterThan(0.01)
  const error = await got.sub(want).abs().amax().data()
  const tolerance = error instanceof Float64Array ? 1e-6 : 5e-6
  expect(error[0]).toBeLessThan(tolerance * scale)
}

const whole = (...values: number[]): Tensor => tensor(values, { dtype: 'i32' })

const exact = {
  name: 'reference in double precision',
  make: () => new ReferenceDevice({ precision: 'float64' }),
}

onEach([exact, ...oneOfEach], () => {
  describe('rotary positions', () => {
    const scalings: Partial<RopeParameters>[] = [
      {},
      { rope_type: 'linear', factor: 4 },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16 },
    ]
    for (const layout of ['halves', 'interleaved'] as const)
      it.each(scalings)(
        `make scores depend on distances alone (${layout}, %o)`,
        async (scaling) => {
          manualSeed(5)
          const rope = { rope_type: 'default', rope_theta: 100, ...scaling } as RopeParameters
          const rotary = new Rotary({ headDim: 8, rope, maxPositions: 64, layout })
          const [q, k] = [randn([1, 1, 1, 8]), randn([1, 1, 1, 8])]
          const score = (m: number, n: number): Tensor =>
            rotate(q, rotary.at(whole(m)))
              .mul(rotate(k, rotary.at(whole(n))))
              .sum()
          await expectSame(score(9, 4), score(5, 0))
          await expectSame(score(31, 26), score(5, 0))
          const [near, far] = [await score(5, 0).item(), await score(6, 0).item()]
          expect(Math.abs(near - far)).toBeGreaterThan(1e-3)
        },
      )

    it('are the same in both layouts, up to the order of features', async () => {
      manualSeed(6)
      const rope: RopeParameters = { rope_type: 'default', rope_theta: 50 }
      const [halves, pairs] = (['halves', 'interleaved'] as const).map(
        (layout) => new Rotary({ headDim: 8, rope, maxPositions: 64, layout }),
      )
      const x = randn([2, 3, 2, 8])
      const places = whole(4, 7, 1)
      const order = whole(0, 4, 1, 5, 2, 6, 3, 7) // where pairs stand side by side
      const turned = rotate(x, halves.at(places)).take(order, -1)
      await expectSame(rotate(x.take(order, -1), pairs.at(places)), turned)
    })
  })

  describe.each(['elu', 'relu'] as const)('linear attention, %s', (feature) => {
    const inputs = (): Tensor[] => {
      manualSeed(7)
      return [randn([2, 3, 13, 4]), randn([2, 3, 13, 4]), randn([2, 3, 13, 5])]
    }

    /** The weights themselves, as many as pairs of tokens. */
    function quadratic([q, k, v]: Tensor[], causal: boolean): Tensor {
      const map = featureMaps[feature]
      const pairs = map(q).matmul(map(k).transpose(-2, -1))
      const weights = causal ? pairs.tril() : pairs
      const total = weights.sum(-1, true)
      return weights.div(total.eq(0).where(1, total)).matmul(v)
    }

    it('is the same in any order of the products', async () => {
      const [q, k, v] = inputs()
      await expectSame(linearAttention(q, k, v, { feature }), quadratic([q, k, v], false))
      const want = quadratic([q, k, v], true)
      for (const chunk of [1, 4, 13, 64])
        await expectSame(linearAttention(q, k, v, { feature, causal: true, chunk }), want)
    })

    it('is the same token by token', async () => {
      const [q, k, v] = inputs()
      const want = linearAttention(q, k, v, { feature, causal: true, chunk: 4 })
      let state: Tensor | null = null
      for (let t = 0; t < 13; t++) {
        const [query, key, value] = [q, k, v].map((x) => x.narrow(2, t, 1))
        const step = linearAttentionStep(query, key, value, state, feature)
        state = step.state
        await expectSame(step.out, want.narrow(2, t, 1))
      }
    })
  })

  it.each([true, false])(
    'sinusoids turn by what depends on the step alone',
    async (interleaved) => {
      const [size, base, t, step] = [8, 50, 11, 5]
      const waves = new Sinusoidal({ size, base, interleaved })
      const [now, then] = [t, t + step].map((place) => waves.forward(whole(place), 64).squeeze(0))
      const at = (wave: number, pair: number): number =>
        interleaved ? 2 * pair + wave : 4 * wave + pair
      // sin(t + τ) = cos τ · sin t + sin τ · cos t, and cos(t + τ) = -sin τ · sin t + cos τ · cos t
      const turn = Array.from({ length: size }, () => new Array<number>(size).fill(0))
      for (let pair = 0; pair < size / 2; pair++) {
        const angle = step * base ** ((-2 * pair) / size)
        const [sine, cosine] = [at(0, pair), at(1, pair)]
        turn[sine][sine] = turn[cosine][cosine] = Math.cos(angle)
        turn[sine][cosine] = Math.sin(angle)
        turn[cosine][sine] = -Math.sin(angle)
      }
      await expectSame(tensor(turn).matmul(now), then)
    },
  )

  it('looking a word up is a product with its one-hot row', async () => {
    manualSeed(8)
    const table = randn([7, 5])
    const ids = tensor(
      [
        [3, 0],
        [6, 3],
      ],
      { dtype: 'i32' },
    )
    const rows = tensor(
      [3, 0, 6, 3].map((id) => Array.from({ length: 7 }, (_, i) => Number(i === id))),
    )
    await expectSame(F.embedding(ids, table), rows.matmul(table).reshape(2, 2, 5))
  })

  it('attention falls with the distance by a slope for each head (ALiBi)', async () => {
    manualSeed(10)
    const [q, k] = [randn([1, 6, 5, 4]), randn([1, 6, 5, 4])]
    // As the paper has it: a bias of -m·(i - j), with m a power of 2 or one between two of them.
    const slopes = [2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]
    const distances = arange(5).sub(arange(5).unsqueeze(1)).to('f32') // j - i
    const bias = tensor(slopes).reshape(6, 1, 1).mul(distances)
    const got = attentionWeights(q, k, { bias: alibi(6, arange(5)), causal: true })
    await expectSame(got, attentionWeights(q, k, { bias, causal: true }))
  })

  it('a prefix of keys and values mixes with attention by its share', async () => {
    manualSeed(9)
    const [q, k, v] = [randn([2, 2, 5, 4]), randn([2, 2, 6, 4]), randn([2, 2, 6, 3])]
    const [prefixK, prefixV] = [randn([2, 2, 3, 4]), randn([2, 2, 3, 3])]
    const joined = (a: Tensor, b: Tensor): Tensor =>
      a
        .pad([
          [0, b.shape[2]],
          [0, 0],
        ])
        .add(
          b.pad([
            [a.shape[2], 0],
            [0, 0],
          ]),
        )
    const keys = joined(prefixK, k)
    const both = F.scaledDotProductAttention(q, keys, joined(prefixV, v))
    const share = attentionWeights(q, keys).narrow(3, 0, 3).sum(-1, true) // λ
    const own = F.scaledDotProductAttention(q, k, v)
    const ofPrefix = F.scaledDotProductAttention(q, prefixK, prefixV)
    await expectSame(both, own.mul(share.neg().add(1)).add(ofPrefix.mul(share)))
  })
})

onEach(timedDevices.slice(0, 1), () => {
  it('linear attention does twice as much for a text twice as long', async () => {
    const cost = async (tokens: number, causal: boolean): Promise<number> => {
      const x = randn([1, 2, tokens, 16])
      await x.data()
      const times = await profile(() => linearAttention(x, x, x, { causal }).data())
      return times.reduce((sum, { cost }) => sum + (cost?.flops ?? 0), 0)
    }
    for (const causal of [false, true]) {
      const costs = [await cost(256, causal), await cost(512, causal), await cost(1024, causal)]
      expect(costs[0]).toBeGreaterThan(0)
      expect(costs[1] / costs[0]).toBeCloseTo(2, 6)
      expect(costs[2] / costs[1]).toBeCloseTo(2, 6)
    }
  })
})
