// Draws by probability: their shares, and what is never drawn.
import { describe, expect, it } from 'vitest'
import {
  bernoulli,
  Generator,
  ones,
  randLike,
  searchsorted,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

onEach(allDevices, () => {
  describe('multinomial', () => {
    const weights = [1, 0, 3, 0, 4, 0]

    it.each([true, false])('draws by weights (replacement: %s)', async (replacement) => {
      const rows = tensor(weights).expand(4000, 6)
      const drawn = await list(
        rows.multinomial(1, { replacement, generator: new Generator(3) }).flatten(),
      )
      const shares = weights.map((_, i) => drawn.filter((index) => index === i).length / 4000)
      weights.forEach((weight, i) => {
        if (weight === 0) expect(shares[i]).toBe(0)
        else expect(shares[i]).toBeCloseTo(weight / 8, 1)
      })
    })

    it('draws each index at most once without replacement', async () => {
      const drawn = tensor([1, 2, 3, 4]).expand(50, 4).multinomial(4)
      for (const row of (await drawn.tolist()) as number[][])
        expect(row.sort()).toEqual([0, 1, 2, 3])
    })

    it('repeats with a seed, and draws more than there are with replacement', async () => {
      const draw = (): Tensor =>
        tensor(weights).multinomial(20, { replacement: true, generator: new Generator(1) })
      expect(draw().shape).toEqual([20])
      expect(await list(draw())).toEqual(await list(draw()))
      expect(() => tensor(weights).multinomial(20)).toThrow(
        heedError('invalid-option', { key: 'count', value: 20, mentions: '(6)' }),
      )
    })
  })

  it('draws 0 and 1 by a tensor of probabilities', async () => {
    const drawn = bernoulli(tensor([0, 1, 0.25]).expand(4000, 3), new Generator(2))
    expect(drawn.dtype).toBe('f32')
    const [never, always, quarter] = await list(drawn.mean(0))
    expect([never, always]).toEqual([0, 1])
    expect(quarter).toBeCloseTo(0.25, 1)
    expect(await list(ones([3]).bernoulli())).toEqual([1, 1, 1])
  })

  it('draws in the shape of a tensor', async () => {
    const x = randLike(zeros([2, 3]))
    expect(x.shape).toEqual([2, 3])
    expect((await list(x)).every((value) => value >= 0 && value < 1)).toBe(true)
  })

  it('finds places in sequences of any length', async () => {
    for (const length of [0, 1, 2, 3, 7, 8, 9]) {
      const sorted = tensor(Float32Array.from({ length }, (_, i) => i))
      const values = [-1, 0, 0.5, 3, 8, 99]
      const want = values.map((value) => Math.min(length, Math.max(0, Math.ceil(value))))
      expect(await list(searchsorted(sorted, tensor(values)))).toEqual(want)
    }
  })
})
