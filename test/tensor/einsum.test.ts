import { describe, expect, it } from 'vitest'
import { arange, einsum, Parameter, type Tensor, tensor } from '../../src/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const counting = (...shape: number[]): Tensor =>
  arange(1, shape.reduce((a, b) => a * b, 1) + 1)
    .to('f32')
    .reshape(shape)

const list = async (x: Tensor): Promise<unknown> => x.tolist()

onEach(allDevices, () => {
  describe('einsum', () => {
    const [a, b] = [counting(2, 3), counting(3, 2)]

    it.each<[string, Tensor[], Tensor]>([
      ['ij,jk->ik', [a, b], a.matmul(b)],
      ['ij,jk', [a, b], a.matmul(b)],
      ['ij,jk->ki', [a, b], a.matmul(b).t()],
      ['ij->ji', [a], a.t()],
      ['ji', [a], a.t()],
      ['ij->', [a], a.sum()],
      ['ij->j', [a], a.sum(0)],
      ['ij,ij->', [a, a], a.square().sum()],
      ['ij,ij->ij', [a, a], a.square()],
      ['i,j->ij', [a.select(0, 0), b.select(0, 0)], a.select(0, 0).outer(b.select(0, 0))],
      ['ii', [a.matmul(b)], tensor(22 + 64)],
      ['ii->i', [a.matmul(b)], tensor([22, 64])],
      ['ij,jk,kl->il', [a, b, a], a.matmul(b).matmul(a)],
      ['ij,kj->', [a, a], a.sum(0).square().sum()],
      ['...ij,...jk->...ik', [counting(2, 2, 3), b], counting(2, 2, 3).matmul(b)],
      ['...j,j', [counting(2, 2, 3), counting(3)], counting(2, 2, 3).matmul(counting(3))],
      [
        'bij , bjk -> bik',
        [counting(1, 2, 3), counting(4, 3, 2)],
        counting(1, 2, 3).matmul(counting(4, 3, 2)),
      ],
      [
        'bhqd,bhkd->bhqk',
        [counting(1, 2, 2, 3), counting(1, 2, 4, 3)],
        counting(1, 2, 2, 3).matmul(counting(1, 2, 4, 3).transpose(-2, -1)),
      ],
      ['...,...->...', [a, tensor(2)], a.mul(2)],
    ])('%s', async (equation, operands, want) => {
      const got = einsum(equation, ...operands)
      expect(got.shape).toEqual(want.shape)
      expect(await list(got)).toEqual(await list(want))
    })

    it('has gradients', async () => {
      const [x, y] = [new Parameter(counting(2, 3)), new Parameter(counting(3, 2))]
      einsum('ij,ji->', x, y).backward()
      expect(await list(x.grad as Tensor)).toEqual(await list(y.t()))
      expect(await list(y.grad as Tensor)).toEqual(await list(x.t()))
    })
  })
})

describe('einsum refuses', () => {
  const x = counting(2, 3)
  it.each<[string, Tensor[], unknown]>([
    [
      'ij,jk',
      [x],
      heedError('invalid-option', { key: 'equation', value: 'ij,jk', mentions: '1 term' }),
    ],
    [
      'ijk',
      [x],
      heedError('invalid-option', {
        key: 'equation',
        value: 'ijk',
        mentions: ['2 axes', '(2, 3)'],
      }),
    ],
    ['i', [x], heedError('invalid-option', { key: 'equation', value: 'i', mentions: '2 axes' })],
    [
      'i...jk',
      [x],
      heedError('invalid-option', { key: 'equation', value: 'i...jk', mentions: '2 axes' }),
    ],
    [
      'ij->ijj',
      [x],
      heedError('invalid-option', { key: 'equation', value: 'ij->ijj', mentions: "'ijj'" }),
    ],
    [
      'ij->k',
      [x],
      heedError('invalid-option', { key: 'equation', value: 'ij->k', mentions: "'k'" }),
    ],
    ['i1->i', [x], heedError('invalid-option', { key: 'equation', value: 'i1->i' })],
    ['i.j', [x], heedError('invalid-option', { key: 'equation', value: 'i.j' })],
    ['ij->i->j', [x], heedError('invalid-option', { key: 'equation', value: 'ij->i->j' })],
    ['ij,ij->', [x, x.t()], heedError('shape', { mentions: ["'i'", '2 and 3'] })],
    ['ii', [x], heedError('shape', { mentions: ["'i'", '2 and 3'] })],
  ])('%s', (equation, operands, error) => {
    expect(() => einsum(equation, ...operands)).toThrow(error)
  })
})
