import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromPretrained, newModel, resizeTokenEmbeddings, savePretrained } from '../../src/models/index.ts' // biome-ignore format: one line
import { quantize } from '../../src/nn/index.ts'
import { manualSeed, tensor } from '../../src/tensor/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const tiny = (modelType: string, config: object = {}) => {
  manualSeed(3)
  return newModel({
    modelType,
    head: 'causal-lm',
    sizes: { layers: 1, heads: 2, dim: 32, context: 16, padTokenId: 0 },
    config: { vocab_size: 11, ...config },
  })
}
const ids = tensor([[1, 5, 10]], { dtype: 'i32' })
const logitsOf = async (model: ReturnType<typeof tiny>): Promise<number[]> => [
  ...(await (model as never as { forward(x: typeof ids): typeof ids }).forward(ids).data()),
]

describe.each([
  ['gpt2', {}, ['transformer.wte.weight']],
  ['llama', { tie_word_embeddings: false }, ['model.embed_tokens.weight', 'lm_head.weight']],
  ['bloom', {}, ['transformer.word_embeddings.weight']],
])('new tokens of %s', (modelType, config, names) => {
  it('get rows with the mean of the old ones; the others are as before', async () => {
    const model = tiny(modelType, config)
    const before = await logitsOf(model)
    expect(await resizeTokenEmbeddings(model, 14)).toEqual(names)
    const { [names[0]]: table } = model.stateDict()
    const values = [...(await table.data())]
    const width = table.shape[1]
    expect(table.shape).toEqual([14, width])
    for (let column = 0; column < width; column++) {
      const old = Array.from({ length: 11 }, (_, row) => values[row * width + column])
      const mean = old.reduce((a, b) => a + b, 0) / 11
      for (const row of [11, 12, 13]) expect(values[row * width + column]).toBeCloseTo(mean, 5)
    }
    const after = await logitsOf(model)
    for (let token = 0; token < 3; token++)
      for (let i = 0; i < 11; i++)
        expect(after[token * 14 + i]).toBeCloseTo(before[token * 11 + i], 5)
    expect(model.config).toMatchObject({ vocab_size: 14 })
  })

  it('are added when a model is opened with a larger vocab_size, and reported as new', async () => {
    const folder = join(await temporaryFolder(), 'model')
    await savePretrained(tiny(modelType, config), folder)
    let fresh: readonly string[] = []
    const model = await fromPretrained(folder, 'causal-lm', {
      config: { vocab_size: 13 },
      onNew(names) {
        fresh = names
      },
    })
    expect(fresh).toEqual(names)
    expect(model.forward(ids).shape).toEqual([1, 3, 13])
    await savePretrained(model, `${folder}-larger`)
    const again = await fromPretrained(`${folder}-larger`, 'causal-lm')
    expect(again.vocabSize).toBe(13)
  })
})

it('refuses fewer tokens, models without token embeddings, and quantised embeddings', async () => {
  await expect(resizeTokenEmbeddings(tiny('gpt2'), 10)).rejects.toThrow(
    heedError('invalid-option', { key: 'size', value: 10, mentions: '11' }),
  )
  const model = tiny('llama')
  await quantize(model, 'q8_0')
  await expect(resizeTokenEmbeddings(model, 12)).rejects.toThrow(
    heedError('unsupported', { key: 'keepBlocks', remedy: 'keepBlocks' }),
  )
  const vit = newModel({ modelType: 'vit', head: 'image-classification', sizes: { layers: 1, heads: 2, dim: 32, context: 16, padTokenId: 0 } }) // biome-ignore format: one line
  await expect(resizeTokenEmbeddings(vit, 12)).rejects.toThrow(heedError('unsupported'))
})
