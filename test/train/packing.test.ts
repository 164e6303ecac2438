// Several texts in one row: how they are distributed, and that each is computed as if it were alone.
import { describe, expect, it } from 'vitest'
import {
  type CausalLM,
  headsOf,
  modelDefinition,
  modelTypes,
  newModel,
} from '../../src/models/index.ts'
import { manualSeed, noGrad, tensor } from '../../src/tensor/index.ts'
import { packLengths } from '../../src/train/tasks/packing.ts'
import { heedError } from '../support/heed-error.ts'

describe('best-fit decreasing', () => {
  it('puts every item into one bin and fills no bin above the capacity', () => {
    const lengths = Array.from({ length: 200 }, (_, i) => 1 + ((i * 7919) % 97))
    const bins = packLengths(lengths, 100)
    expect(bins.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, i) => i))
    const sums = bins.map((bin) => bin.reduce((sum, i) => sum + lengths[i], 0))
    expect(Math.max(...sums)).toBeLessThanOrEqual(100)
    const least = Math.ceil(lengths.reduce((a, b) => a + b) / 100)
    expect(bins.length).toBeLessThanOrEqual(Math.ceil((11 / 9) * least) + 1) // its proven bound
  })

  it('prefers the bin with the least room that is enough', () => {
    expect(packLengths([6, 3, 4, 7], 10)).toEqual([[3, 1], [0, 2]]) // biome-ignore format: one line
    expect(packLengths([], 10)).toEqual([])
    expect(packLengths([12, 1], 10)).toEqual([[0], [1]])
  })
})

const families = modelTypes().filter((type) => headsOf(type).includes('causal-lm'))

describe.each(families)('packed rows of %s', (modelType) => {
  manualSeed(7)
  const isEncoder = modelDefinition(modelType).task === 'fill-mask' || modelType === 'marian'
  const model = newModel({
    modelType,
    head: 'causal-lm',
    sizes: { layers: 2, heads: 2, dim: 32, context: 32, padTokenId: 0 },
    config: { vocab_size: 19, ...(isEncoder && { is_decoder: true, pad_token_id: 0 }) },
  }) as CausalLM
  const texts = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8]] // biome-ignore format: one line
  const row = texts.flat()
  const packed = {
    ids: tensor([[...row, 0, 0]], { dtype: 'i32' }),
    mask: tensor([[...texts.flatMap((text, i) => text.map(() => i + 1)), 0, 0]], { dtype: 'i32' }),
  }

  it('have the logits of each text alone', async () => {
    model.eval()
    const together = noGrad(() => model.forward(packed.ids, { attentionMask: packed.mask }))
    const values = [...(await together.data())]
    let at = 0
    for (const text of texts) {
      const alone = noGrad(() => model.forward(tensor([text], { dtype: 'i32' })))
      const expected = [...(await alone.data())]
      expected.forEach((value, i) => {
        expect(Math.abs(values[at + i] - value)).toBeLessThan(2e-5)
      })
      at += expected.length
    }
  })
})

it('a mask of texts needs one number for each token, and no cache', () => {
  const model = newModel({
    modelType: 'gpt2',
    head: 'causal-lm',
    sizes: { layers: 1, heads: 2, dim: 16, context: 8, padTokenId: 0 },
    config: { vocab_size: 9 },
  }) as CausalLM
  const ids = tensor([[1, 2, 3]], { dtype: 'i32' })
  const attentionMask = tensor([[1, 1]], { dtype: 'i32' })
  expect(() => model.forward(ids, { attentionMask })).toThrow(
    heedError('shape', { mentions: ['(1, 3)', 'i32', '(1, 2)'] }),
  )
  const cache = model.createCache()
  const whole = tensor([[1, 1, 2]], { dtype: 'i32' })
  expect(() => model.forward(ids, { attentionMask: whole, cache })).toThrow(
    heedError('shape', { mentions: ['bool', 'i32'] }),
  )
})
