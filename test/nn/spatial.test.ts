// What the papers say of convolutions and norms over channels: within 1e-6 of the largest value, and in
// single precision on every device within what its rounding adds up to.
import { describe, expect, it } from 'vitest'
import {
  cat,
  F,
  manualSeed,
  Parameter,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts'
import {
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose1d,
  ConvTranspose2d,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  LayerNorm,
  Linear,
  MaxPool1d,
  MaxPool2d,
  type Module,
  StdConv2d,
} from '../../src/nn/index.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

async function expectSame(got: Tensor, want: Tensor): Promise<void> {
  expect(got.shape).toEqual(want.shape)
  const scale = await want.abs().amax().item()
  expect(scale).toBeGreaterThan(0.01)
  const error = await got.sub(want).abs().amax().data()
  const tolerance = error instanceof Float64Array ? 1e-6 : 5e-6
  expect(error[0]).toBeLessThan(tolerance * scale)
}

const exact = {
  name: 'reference in double precision',
  make: () => new ReferenceDevice({ precision: 'float64' }),
}

/** Without weights: what all norms do, over these axes. */
function standardized(x: Tensor, axes: number[], eps = 1e-5): Tensor {
  const centred = x.sub(x.mean(axes, true))
  return centred.div(centred.square().mean(axes, true).add(eps).sqrt())
}

onEach([exact, ...oneOfEach], () => {
  const images = (): Tensor => {
    manualSeed(4)
    return randn([3, 4, 6, 5]).mul(2).add(1) // (N, C, H, W)
  }

  it('a convolution of patches is a linear map of their pixels', async () => {
    manualSeed(3)
    const P = 4
    const layer = new Conv2d(3, 5, P, { stride: P })
    const x = randn([2, 3, 8, 12])
    const patches = x
      .reshape(2, 3, 2, P, 3, P)
      .permute(0, 2, 4, 1, 3, 5) // (N, places y, places x, C, P, P)
      .reshape(2, 6, 3 * P * P)
    const linear = new Linear(3 * P * P, 5)
    linear.loadStateDict({ weight: layer.weight.flatten(1), bias: layer.bias as Tensor })
    await expectSame(layer.forward(x).flatten(2).transpose(1, 2), linear.forward(patches))
  })

  it('a depth-wise convolution is one for each channel', async () => {
    manualSeed(5)
    const [x, weight] = [images(), randn([4, 1, 3, 3])]
    const each = x
      .chunk(4, 1)
      .map((channel, i) => F.conv2d(channel, weight.narrow(0, i, 1), null, { padding: 1 }))
    await expectSame(F.conv2d(x, weight, null, { padding: 1, groups: 4 }), cat(each, 1))
  })

  it('an infinity at the edge of a depth-wise convolution stays with the taps that see it', async () => {
    const x = Float32Array.from({ length: 24 }, (_, i) => (i < 12 && i % 4 === 0 ? Infinity : i))
    const weight = new Parameter(zeros([2, 1, 3, 3]))
    F.conv2d(tensor(x).reshape(1, 2, 3, 4), weight, null, { padding: 1, groups: 2 })
      .sum()
      .backward()
    const gradient = [...(await (weight.grad as Tensor).data())]
    // The right column of taps never sees the left column of places.
    const inf = Infinity
    expect(gradient.slice(0, 9)).toEqual([inf, inf, 24, inf, inf, 54, inf, inf, 48])
    expect(gradient.slice(9).every(Number.isFinite)).toBe(true)
  })

  it('a transposed convolution is the adjoint of the convolution', async () => {
    manualSeed(6)
    const options = { stride: 2, padding: 1 }
    const [x, weight] = [randn([2, 3, 7, 9]), randn([4, 3, 3, 3])]
    const y = F.conv2d(x, weight, null, options)
    const u = randn(y.shape)
    const back = F.convTranspose2d(u, weight, null, options)
    expect(back.shape).toEqual(x.shape)
    await expectSame(back.mul(x).sum(), u.mul(y).sum()) // ⟨Aᵀu, x⟩ = ⟨u, Ax⟩
  })

  describe('norms of (N, C, H, W)', () => {
    it('over N, H, W are batch norm', async () => {
      const x = images()
      await expectSame(new BatchNorm2d(4).forward(x), standardized(x, [0, 2, 3]))
    })

    it('over C, H, W are layer norm, and group norm with one group', async () => {
      const x = images()
      const want = standardized(x, [1, 2, 3])
      await expectSame(F.layerNorm(x.flatten(1)).reshape(x.shape), want)
      await expectSame(new GroupNorm(1, 4).forward(x), want)
    })

    it('over H, W are instance norm, and group norm with C groups', async () => {
      const x = images()
      const want = standardized(x, [2, 3])
      await expectSame(new InstanceNorm2d(4).forward(x), want)
      await expectSame(new GroupNorm(4, 4).forward(x), want)
      const lines = x.flatten(2)
      await expectSame(new InstanceNorm1d(4).forward(lines), standardized(lines, [2]))
    })
  })

  it('layer norm does not depend on the batch, batch norm does', async () => {
    const x = images()
    const [layer, batch] = [new LayerNorm(5), new BatchNorm2d(4)]
    const alone = x.narrow(0, 1, 1)
    await expectSame(layer.forward(alone), layer.forward(x).narrow(0, 1, 1))
    const apart = batch.forward(alone).sub(batch.forward(x).narrow(0, 1, 1))
    expect(await apart.abs().amax().item()).toBeGreaterThan(0.01)
  })

  it('batch norm in evaluation uses the running statistics', async () => {
    const x = images()
    const layer = new BatchNorm2d(4)
    const [mean, variance] = [randn([4]), randn([4]).square().add(0.5)]
    layer.loadStateDict({ running_mean: mean, running_var: variance }, { strict: false })
    const apart = (v: Tensor): Tensor => v.reshape(4, 1, 1)
    const want = x.sub(apart(mean)).div(apart(variance.add(1e-5).sqrt()))
    await expectSame(layer.eval().forward(x), want)
    await expectSame(layer.forward(x.narrow(0, 2, 1)), want.narrow(0, 2, 1))
  })

  it('standardised weights do not change with the scale of weights', async () => {
    const x = images()
    const weight = randn([3, 4, 3, 3]).mul(30) // beside which the eps of 1e-6 is nothing
    const of = (values: Tensor): Tensor => {
      const layer = new StdConv2d(4, 3, 3, { bias: false })
      layer.loadStateDict({ weight: values })
      return layer.forward(x)
    }
    await expectSame(of(weight.mul(7).add(20)), of(weight))
  })
})

describe('layers', () => {
  it("have PyTorch's parameters and shapes", () => {
    const shapes = (layer: Module): unknown => layer.namedParameters().map(([n, p]) => [n, p.shape])
    expect(shapes(new Conv2d(4, 6, [3, 2], { groups: 2 }))).toEqual([
      ['weight', [6, 2, 3, 2]],
      ['bias', [6]],
    ])
    expect(shapes(new ConvTranspose2d(4, 6, 3, { groups: 2, bias: false }))).toEqual([
      ['weight', [4, 3, 3, 3]],
    ])
    expect(new ConvTranspose1d(4, 6, 3, { stride: 2 }).forward(randn([1, 4, 5])).shape).toEqual([
      1, 6, 11,
    ])
    expect(new Conv1d(4, 6, 3, { padding: 'same' }).forward(randn([1, 4, 5])).shape).toEqual([
      1, 6, 5,
    ])
    const x = randn([1, 2, 9, 8])
    expect(new MaxPool2d(3, { stride: 2, padding: 1 }).forward(x).shape).toEqual([1, 2, 5, 4])
    expect(new AvgPool2d(2).forward(x).shape).toEqual([1, 2, 4, 4])
    expect(new AdaptiveAvgPool2d([3, 1]).forward(x).shape).toEqual([1, 2, 3, 1])
    const line = randn([1, 2, 9])
    expect(new MaxPool1d(3).forward(line).shape).toEqual([1, 2, 3])
    expect(new AvgPool1d(2).forward(line).shape).toEqual([1, 2, 4])
  })

  it('refuse what does not fit, and say why', () => {
    const x = randn([1, 4, 5, 5])
    expect(() => new Conv2d(3, 6, 3).forward(x)).toThrow(
      heedError('shape', { mentions: ['(1, 4, 5, 5)', '(6, 3, 3, 3)', '1 groups'] }),
    )
    expect(() => F.maxPool2d(x, 2, { padding: 2 })).toThrow(
      heedError('shape', { key: 'padding', value: [2, 2], mentions: 'kernel' }),
    )
    expect(() => F.maxPool1d(x, 2)).toThrow(
      heedError('shape', { mentions: ['maxPool1d', '(1, 4, 5, 5)'] }),
    )
    expect(() => new Conv2d(4, 6, 7).forward(x)).toThrow(
      heedError('shape', { mentions: ['kernel 7', 'dilation 1'] }),
    )
    expect(() => new GroupNorm(3, 4)).toThrow(
      heedError('shape', { key: 'groups', value: 3, mentions: '(4)' }),
    )
    expect(() => F.convTranspose2d(x, randn([4, 1, 3, 3]), null, { outputPadding: 1 })).toThrow(
      heedError('shape', { key: 'outputPadding', value: [1, 1], mentions: 'stride' }),
    )
  })
})
