// Functions between modules, and the modules that are functions.
import { describe, expect, it } from 'vitest'
import { F, type Tensor, tensor } from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heedError } from '../support/heed-error.ts'

const x = tensor([
  [0.5, -1, 2],
  [3, 0, -0.25],
])
const list = (y: Tensor): Promise<unknown> => y.tolist()

describe('Sequential', () => {
  it('takes functions beside modules', async () => {
    const model = new nn.Sequential(new nn.Flatten(), (y) => y.relu(), new nn.Identity())
    expect(await list(model.forward(x))).toEqual(await list(x.relu()))
    expect(model.namedModules().map(([name]) => name)).toEqual(['', '0', '1', '2'])
  })

  it('refuses other things', () => {
    const of =
      (...layers: unknown[]) =>
      () =>
        new nn.Sequential(...(layers as never[]))
    expect(of([new nn.ReLU()])).toThrow(heedError('invalid-option', { key: 'layers[0]' }))
    expect(of(new nn.ReLU(), undefined)).toThrow(heedError('invalid-option', { key: 'layers[1]' }))
    expect(() => new nn.Sequential((() => 1) as never).forward(x)).toThrow(
      heedError('invalid-option', { value: 1, mentions: 'layer 0' }),
    )
    expect(() => new nn.Sequential().forward(undefined as never)).toThrow(HeedError)
  })
})

describe('modules without parameters', () => {
  it.each<[nn.Module & { forward(y: Tensor): Tensor }, (y: Tensor) => Tensor]>([
    [new nn.ReLU(), (y) => y.relu()],
    [new nn.GELU(), (y) => y.gelu()],
    [new nn.GELU('tanh'), (y) => y.gelu('tanh')],
    [new nn.SiLU(), (y) => y.silu()],
    [new nn.Sigmoid(), (y) => y.sigmoid()],
    [new nn.LogSigmoid(), (y) => y.logSigmoid()],
    [new nn.Tanh(), (y) => y.tanh()],
    [new nn.Softplus(), (y) => y.softplus()],
    [new nn.Mish(), (y) => y.mish()],
    [new nn.Hardswish(), (y) => y.hardswish()],
    [new nn.LeakyReLU(0.2), (y) => y.leakyRelu(0.2)],
    [new nn.ELU(0.5), (y) => y.elu(0.5)],
    [new nn.Softmax(0), (y) => y.softmax(0)],
    [new nn.LogSoftmax(), (y) => y.logSoftmax(-1)],
    [new nn.GLU(0), (y) => F.glu(y, 0)],
    [new nn.Flatten(0), (y) => y.flatten()],
  ])('%o', async (layer, same) => {
    expect(layer.parameters()).toEqual([])
    expect(await list(layer.forward(x))).toEqual(await list(same(x)))
    expect(() => layer.forward(undefined as never)).toThrow(
      heedError('invalid-option', { mentions: 'got undefined' }),
    )
  })
})

describe('losses', () => {
  const target = tensor([
    [1, 0, 0],
    [0, 0.5, 0.5],
  ])

  it.each<[nn.Module & { forward(a: Tensor, b: Tensor): Tensor }, Tensor]>([
    [
      new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }),
      F.crossEntropy(x, target, { labelSmoothing: 0.1 }),
    ],
    [new nn.MSELoss({ reduction: 'sum' }), F.mseLoss(x, target, 'sum')],
    [new nn.L1Loss(), F.l1Loss(x, target)],
    [new nn.SmoothL1Loss({ beta: 0.5 }), F.smoothL1Loss(x, target, { beta: 0.5 })],
    [new nn.HuberLoss({ delta: 0.5 }), F.huberLoss(x, target, { delta: 0.5 })],
    [new nn.BCEWithLogitsLoss(), F.bceWithLogits(x, target)],
    [new nn.KLDivLoss({ reduction: 'batchmean' }), F.klDiv(x, target, 'batchmean')],
  ])('%o', async (loss, same) => {
    expect(await list(loss.forward(x, target))).toEqual(await list(same))
  })

  it('of class numbers and triplets', async () => {
    const numbers = tensor([2, 0], { dtype: 'i32' })
    const logs = x.logSoftmax()
    expect(await list(new nn.NLLLoss().forward(logs, numbers))).toEqual(await list(F.nllLoss(logs, numbers))) // biome-ignore format: one line
    const triplet = new nn.TripletMarginLoss({ margin: 2 })
    expect(await list(triplet.forward(x, target, x.flip([1])))).toEqual(
      await list(F.tripletMarginLoss(x, target, x.flip([1]), { margin: 2 })),
    )
  })

  it('check their options when they are made', () => {
    expect(() => new nn.MSELoss({ reduction: 'average' as never })).toThrow(
      heedError('invalid-option', {
        key: 'reduction',
        value: 'average',
        mentions: ["'mean'", "'sum'", "'none'"],
      }),
    )
    expect(() => new nn.MSELoss('sum' as never)).toThrow(
      heedError('invalid-option', { key: 'options', value: 'sum', mentions: 'MSELoss' }),
    )
    expect(() => new nn.HuberLoss({ delte: 1 } as never)).toThrow(
      heedError('unknown-name', { key: 'delte' }),
    )
  })
})

describe('configs', () => {
  it.each<[string, () => unknown, unknown]>([
    [
      'MultiHeadAttention(32, 4)',
      () => new nn.MultiHeadAttention(32 as never),
      heedError('invalid-option', {
        key: 'options',
        value: 32,
        mentions: ['MultiHeadAttention', 'embedDim'],
      }),
    ],
    [
      'Sinusoidal(8)',
      () => new nn.Sinusoidal(8 as never),
      heedError('invalid-option', { key: 'options', value: 8, mentions: ['Sinusoidal', 'size'] }),
    ],
    [
      'Sinusoidal()',
      () => new (nn.Sinusoidal as unknown as new () => unknown)(),
      heedError('invalid-option', { key: 'size' }),
    ],
    [
      'MLP({ layers })',
      () => new nn.MLP({ layers: [1, 2] } as never),
      heedError('unknown-name', { key: 'layers' }),
    ],
    [
      'MLP({ activation })',
      () => new nn.MLP({ sizes: [1, 1, 1], activation: 'rellu' as never }).forward(tensor([[1]])),
      heedError('invalid-option', { key: 'activation', value: 'rellu', mentions: 'relu' }),
    ],
    [
      'TransformerEncoderLayer({ nhead })',
      () => new nn.TransformerEncoderLayer({ embedDim: 4, nhead: 2 } as never),
      heedError('unknown-name', { key: 'nhead' }),
    ],
    [
      'Linear({ in })',
      () => new nn.Linear({ in: 2, out: 3 } as never, undefined as never),
      heedError('invalid-option', { key: 'inputs', mentions: /\b1\b/ }),
    ],
    [
      'Linear(2, 3, false)',
      () => new nn.Linear(2, 3, false as never),
      heedError('invalid-option', { key: 'options', value: false, mentions: 'Linear' }),
    ],
    [
      'Conv2d(1, 1)',
      () => new (nn.Conv2d as unknown as new (...n: number[]) => unknown)(1, 1),
      heedError('invalid-option', { key: 'kernel' }),
    ],
    [
      'LSTM({ num_layers })',
      () => new nn.LSTM(1, 1, { num_layers: 2 } as never),
      heedError('unknown-name', { key: 'num_layers' }),
    ],
  ])('%s', (_, wrong, error) => {
    expect(wrong).toThrow(error)
    expect(wrong).toThrow(HeedError)
  })

  it('of derived classes may have further keys', () => {
    class Wider extends nn.Sinusoidal {}
    expect(new Wider({ size: 4, note: 'mine' } as never).config).toMatchObject({ note: 'mine' })
  })
})
