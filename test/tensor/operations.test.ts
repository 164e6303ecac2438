// Corners of operations that PyTorch's fixtures do not reach.
import { describe, expect, it } from 'vitest'
import { arange, F, Parameter, type Tensor, tensor } from '../../src/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const hidden = Number.NEGATIVE_INFINITY
const matrix = (rows: number, columns: number): Tensor =>
  arange(rows * columns)
    .to('f32')
    .reshape(rows, columns)

async function slope(x: Parameter, y: Tensor): Promise<unknown> {
  y.sum().backward()
  return (x.grad as Tensor).tolist()
}

onEach(allDevices, () => {
  it('clamps to tensors, and keeps NaN', async () => {
    const x = tensor([Number.NaN, -2, 0.5, 9])
    const bounds = { min: tensor([0, -1, 0, 0]), max: 3 }
    expect(await x.clamp(bounds).tolist()).toEqual([Number.NaN, -1, 0.5, 3])
    expect(await tensor([5, -5], { dtype: 'i32' }).clamp({ min: -2, max: 2 }).tolist()).toEqual([
      2, -2,
    ])
  })

  it('adds logarithms of sizes without overflow, and of nothing', async () => {
    const [a, b] = [tensor([1000, hidden, hidden, 5]), tensor([1000, 3, hidden, hidden])]
    const sum = (await a.logaddexp(b).tolist()) as number[]
    expect(sum[0]).toBeCloseTo(1000 + Math.LN2, 3)
    expect(sum.slice(1)).toEqual([3, hidden, 5])
  })

  it('has finite gradients of logcumsumexp where values are far apart or hidden', async () => {
    const x = new Parameter(tensor([hidden, -900, 0, 900]))
    const y = x.logcumsumexp(0)
    expect(await y.tolist()).toEqual([hidden, -900, 0, 900])
    expect(await slope(x, y.slice([1]))).toEqual([0, 1, 1, 1])
  })

  it('finds the places of the largest so far, NaN among them', async () => {
    const { values, indices } = tensor([[1, Number.NaN, 2]]).cummax(1)
    expect(await values.tolist()).toEqual([[1, Number.NaN, Number.NaN]])
    expect(((await indices.tolist()) as number[][])[0].slice(0, 2)).toEqual([0, 1])
  })

  it('takes remainders with the sign of the dividend, exactly', async () => {
    const x = tensor([-1e-10, 5.5, -5.5, 0])
    const rest = (await x.fmod(2).tolist()) as number[]
    expect(rest).toEqual([Math.fround(-1e-10), 1.5, -1.5, 0])
    const whole = tensor([-7, 7], { dtype: 'i32' })
    expect(await whole.fmod(4).tolist()).toEqual([-3, 3])
  })

  it.each([
    [0, [0, 5, 10]],
    [1, [1, 6, 11]],
    [3, [3]],
    [4, []],
    [-1, [4, 9]],
    [-2, [8]],
    [-9, []],
  ])('takes diagonal %i', async (offset, want) => {
    const x = new Parameter(matrix(3, 4))
    const y = x.diagonal(offset)
    expect(await y.tolist()).toEqual(want)
    const ones = ((await slope(x, y)) as number[][]).flat()
    expect(ones.map((v, i) => (v === 1 ? i : -1)).filter((i) => i >= 0)).toEqual(want)
  })

  it('takes diagonals of any two axes', async () => {
    const x = arange(24).reshape(2, 3, 4)
    const want = [
      [0, 16],
      [1, 17],
      [2, 18],
      [3, 19],
    ]
    expect(await x.diagonal(0, 0, 1).tolist()).toEqual(want)
    expect(await x.diagonal(0, 1, 0).tolist()).toEqual(want)
    expect(await x.diagonal(-1, -1, 0).tolist()).toEqual([
      [1, 14],
      [5, 18],
      [9, 22],
    ])
  })

  it('pads two axes with their own elements', async () => {
    const x = matrix(2, 3)
    const widths = [
      [1, 0],
      [1, 2],
    ] as const
    expect(await x.pad(widths, 'reflect').tolist()).toEqual([
      [4, 3, 4, 5, 4, 3],
      [1, 0, 1, 2, 1, 0],
      [4, 3, 4, 5, 4, 3],
    ])
    expect(await x.pad(widths, 'replicate').tolist()).toEqual([
      [0, 0, 1, 2, 2, 2],
      [0, 0, 1, 2, 2, 2],
      [3, 3, 4, 5, 5, 5],
    ])
    expect(await x.pad(widths, 'circular').tolist()).toEqual([
      [5, 3, 4, 5, 3, 4],
      [2, 0, 1, 2, 0, 1],
      [5, 3, 4, 5, 3, 4],
    ])
  })

  it('selects by argsort along any axis', async () => {
    const x = tensor([
      [3, 1, 2],
      [0, 5, 4],
    ])
    expect(await x.takeAlongDim(x.argsort(1), 1).tolist()).toEqual([
      [1, 2, 3],
      [0, 4, 5],
    ])
    expect(await x.takeAlongDim(tensor([[1]], { dtype: 'i32' }), 0).tolist()).toEqual([[0, 5, 4]])
  })

  it('computes with sizes of 0', async () => {
    const none = tensor(new Float32Array(0), { shape: [2, 0] })
    const x = new Parameter(none)
    expect(await slope(x, x.add(1))).toEqual([[], []])
    expect(await none.transpose(0, 1).mul(2).tolist()).toEqual([])
  })

  it('has a norm of zero with a gradient of zero', async () => {
    for (const p of [2, 3]) {
      const x = new Parameter(
        tensor([
          [0, 0],
          [3, 0],
        ]),
      )
      const grad = (await slope(x, x.norm(p, 1))) as number[][]
      expect(grad[0]).toEqual([0, 0])
      expect(grad[1][0]).toBeCloseTo(1, 6)
    }
  })

  it('embeds with a row that does not learn', async () => {
    const weight = new Parameter(matrix(3, 2))
    const y = F.embedding(tensor([0, 2, 0], { dtype: 'i32' }), weight, { paddingIndex: 0 })
    expect(await y.tolist()).toEqual([
      [0, 1],
      [4, 5],
      [0, 1],
    ])
    expect(await slope(weight, y)).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
    ])
  })

  it('has a divergence of zero between equals, also where a probability is 0', async () => {
    const p = tensor([[0.5, 0.5, 0]])
    const input = tensor([[Math.log(0.5), Math.log(0.5), -50]])
    expect(await F.klDiv(input, p, 'batchmean').item()).toBeCloseTo(0, 6)
  })
})

describe('what does not fit is refused', () => {
  const x = matrix(2, 3)
  it.each<[string, () => unknown, unknown]>([
    [
      'pad',
      () => x.pad([[3, 0]], 'reflect'),
      heedError('shape', { mentions: ["'reflect'", 'most 2', 'size 3', '3 and 0'] }),
    ],
    [
      'pad',
      () => x.pad([[0, 4]], 'circular'),
      heedError('shape', { mentions: ["'circular'", 'most 3', 'size 3', '0 and 4'] }),
    ],
    ['diagonal', () => x.diagonal(0, 0, -2), heedError('shape', { mentions: '0 and -2' })],
    ['glu', () => F.glu(x), heedError('shape', { mentions: ['axis -1', '(2, 3)'] })],
    [
      'layerNorm',
      () => F.layerNorm(x, matrix(3, 2)),
      heedError('shape', { mentions: ['(3, 2)', '(2, 3)'] }),
    ],
    [
      'groupNorm',
      () => F.groupNorm(x, 2),
      heedError('shape', { mentions: ['2 groups', '(2, 3)'] }),
    ],
    [
      'smoothL1Loss',
      () => F.smoothL1Loss(x, x, { beta: -1 }),
      heedError('invalid-option', { key: 'beta', value: -1 }),
    ],
    ['conv1d', () => F.conv1d(x, x), heedError('shape', { mentions: ['(2, 3)', '(2, 3)'] })],
    [
      'conv2d',
      () => F.conv2d(x.reshape(1, 1, 2, 3), x.reshape(1, 1, 2, 3), null, { groups: 2 }),
      heedError('shape', { mentions: '2 groups' }),
    ],
    [
      'conv1d',
      () => F.conv1d(x.reshape(1, 2, 3), matrix(2, 8).reshape(1, 2, 8)),
      heedError('shape', { mentions: 'kernel 8' }),
    ],
  ])('%s', (_name, build, error) => {
    expect(build).toThrow(error)
  })
})
