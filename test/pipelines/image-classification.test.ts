import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ImageProcessor, readImage } from '../../src/data/index.ts'
import { tensor } from '../../src/index.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { pipeline } from '../../src/pipelines/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const file = (name: string): string => join(FIXTURES, 'images', 'files', name)

async function folderWith(config: object): Promise<string> {
  const folder = await temporaryFolder()
  for (const name of ['config.json', 'model.safetensors'])
    await cp(join(FIXTURES, 'vit', 'classes', name), join(folder, name))
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(config))
  return folder
}

it('labels files and pixels as the model scores them', async () => {
  const folder = await folderWith({ size: { height: 12, width: 12 } })
  const classify = await pipeline('image-classification', folder)
  const labels = await classify(file('rgb.png'))
  expect(labels.map(({ label }) => label).sort()).toEqual(['cat', 'dog', 'owl'])

  const processor = await ImageProcessor.fromFile(folder)
  const pixels = new Float32Array(3 * 12 * 12)
  processor.normalize(processor.fit(await readImage(file('rgb.png'))), pixels)
  const model = await fromPretrained(folder, 'image-classification')
  const wanted = await model
    .forward(tensor(pixels, { shape: [1, 3, 12, 12] }))
    .softmax(-1)
    .data()
  for (const { label, score } of labels)
    expect(score).toBeCloseTo(Number(wanted[model.labels.indexOf(label)]), 5)
  expect(labels[0].score).toBe(Math.max(...labels.map(({ score }) => score)))

  const image = await readImage(file('grey.png'))
  const many = await classify([file('rgb.png'), image, file('turned.png')], {
    batchSize: 2,
    topK: 1,
  })
  expect(many.map((list) => list.length)).toEqual([1, 1, 1])
  expect(many[0][0].label).toBe(labels[0].label)
  expect(many[0][0].score).toBeCloseTo(labels[0].score, 6)
})

it('takes images of sizes of their own', async () => {
  const folder = await folderWith({ do_resize: false })
  const classify = await pipeline('image-classification', folder)
  const together = await classify([file('rgb.png'), file('turned.png'), file('rgb.png')])
  const alone = await classify(file('turned.png'))
  expect(together[1].map(({ label }) => label)).toEqual(alone.map(({ label }) => label))
  expect(together[2]).toEqual(together[0])
})

it('says what it cannot do', async () => {
  const folder = await folderWith({ size: { height: 12, width: 12 } })
  const classify = await pipeline('image-classification', folder)
  await expect(classify(file('cut.png'))).rejects.toThrow(
    heedError('corrupt-file', { mentions: 'cut.png' }),
  )
  await expect(classify(file('rgb.png'), { batchSize: 0 })).rejects.toThrow(
    heedError('invalid-option', { key: 'batchSize', value: 0 }),
  )
  await cp(join(FIXTURES, 'vit', 'features', 'config.json'), join(folder, 'config.json'))
  await cp(
    join(FIXTURES, 'vit', 'features', 'model.safetensors'),
    join(folder, 'model.safetensors'),
  )
  await expect(pipeline('image-classification', folder)).rejects.toThrow(
    heedError('unsupported', { key: 'task' }),
  )
})
