// What selects elements must be integers: a conversion would silently take 1.5 for 1.
import { describe, expect, it } from 'vitest'
import { F, oneHot, randn, type Tensor, tensor, zeros } from '../../src/index.ts'
import { heedError } from '../support/heed-error.ts'

const x = randn([3, 2])
const source = zeros([2, 2])

const selecting: Record<string, (index: Tensor) => unknown> = {
  take: (index) => x.take(index),
  indexSelect: (index) => x.indexSelect(0, index),
  gather: (index) => x.gather(0, index.unsqueeze(1)),
  scatterAdd: (index) => x.scatterAdd(0, index.unsqueeze(1), 1),
  indexAdd: (index) => x.indexAdd(0, index, source),
  scatterReduce: (index) => x.scatterReduce(0, index.unsqueeze(1), source, 'amax'),
  oneHot: (index) => oneHot(index, 3),
  'F.embedding': (index) => F.embedding(index, x),
  'F.crossEntropy': (index) => F.crossEntropy(randn([2, 3]), index),
  'F.nllLoss': (index) => F.nllLoss(randn([2, 3]), index),
}

describe.each(Object.entries(selecting))('%s', (_, select) => {
  it.each(['f32', 'bool'] as const)('refuses %s, and says what to do', (dtype) => {
    const index = tensor([1, 0], { dtype })
    expect(() => select(index)).toThrow(
      heedError('shape', { value: dtype, remedy: dtype === 'bool' ? 'nonzero' : "to('i32')" }),
    )
  })

  it.each(['i32', 'u8', 'u32'] as const)('accepts %s', (dtype) => {
    expect(() => select(tensor([1, 0], { dtype }))).not.toThrow()
  })
})

it.each([
  ['a token id', () => F.embedding(tensor([7], { dtype: 'i32' }), x), /vocabulary size/],
  ['a label', () => F.crossEntropy(randn([1, 3]), tensor([3], { dtype: 'i32' })), /`ignoreIndex`/],
])('%s that is too large is reported with what to do', async (_, make, remedy) => {
  await expect(make().data()).rejects.toThrow(heedError('invalid-data', { remedy }))
})
