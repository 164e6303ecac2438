import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { ImageProcessor, openRows } from '../../src/data/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { evaluateRun } from '../../src/train/evaluate-run.ts'
import { predictRun } from '../../src/train/predict-run.ts'
import { reportRun } from '../../src/train/report/report-run.ts'
import { taskDefinition } from '../../src/train/tasks/index.ts'
import { trainModel } from '../../src/train/train-model.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { classed, named, parse } from '../report/parse.ts'
import { heedError } from '../support/heed-error.ts'

const SIDE = 8
const COUNT = 120
let bytes: { images: Buffer; labels: Buffer }

/** Bars across (0) or down (1), somewhere in a little noise. */
beforeAll(() => {
  const images = Buffer.alloc(16 + COUNT * SIDE * SIDE)
  const labels = Buffer.alloc(8 + COUNT)
  images.set([0, 0, 8, 3])
  labels.set([0, 0, 8, 1])
  for (const [i, size] of [COUNT, SIDE, SIDE].entries()) images.writeUInt32BE(size, 4 + 4 * i)
  labels.writeUInt32BE(COUNT, 4)
  for (let n = 0; n < COUNT; n++) {
    const label = n % 2
    const at = (n * 5) % SIDE
    labels[8 + n] = label
    for (let i = 0; i < SIDE * SIDE; i++) {
      const on = (label === 0 ? Math.floor(i / SIDE) : i % SIDE) === at
      images[16 + n * SIDE * SIDE + i] = (on ? 200 : 20) + ((n * 31 + i * 17) % 40)
    }
  }
  bytes = { images, labels }
})

async function dataIn(folder: string): Promise<string> {
  const images = join(folder, 'bars-images-idx3-ubyte')
  await writeFile(images, bytes.images)
  await writeFile(join(folder, 'bars-labels-idx1-ubyte'), bytes.labels)
  return images
}

it.each(['vit', 'resnet'])('%s learns bars, and tells them apart afterwards', async (model) => {
  const folder = await temporaryFolder()
  const data = await dataIn(folder)
  const out = join(folder, 'run')
  const config = parseTrainConfig({
    model,
    task: 'image-classification',
    data: [data],
    layers: 2,
    heads: 2,
    dim: 16,
    batch: 24,
    steps: model === 'vit' ? 150 : 60,
    lr: 0.005,
    warmup: 5,
    shift: model === 'vit' ? 0 : 1,
    patchSize: 4,
    evalEvery: 30,
    saveEvery: 0,
  })
  const { evaluation } = await trainModel({ config, out })
  expect(evaluation?.metrics.accuracy).toBeGreaterThan(0.9)
  const { num_channels, image_size, patch_size } = JSON.parse(
    await readFile(join(out, 'config.json'), 'utf8'),
  )
  expect(num_channels).toBe(1)
  if (model === 'vit') expect([image_size, patch_size]).toEqual([[8, 8], 4])
  const { metrics, confusion, count } = await evaluateRun(out, [data], { limit: 40 })
  expect(count).toBe(40)
  expect(metrics.accuracy).toBeGreaterThan(0.9)
  expect(confusion?.labels).toEqual(['0', '1'])
  const source = await openRows(data)
  const said: unknown[] = []
  for await (const { output } of predictRun(out, source.rows())) said.push(output.label)
  expect(said.length).toBe(COUNT)
  expect(said.filter((label, i) => label === String(i % 2)).length).toBeGreaterThan(0.9 * COUNT)
  const page = parse(await readFile(await reportRun(out), 'utf8'))
  for (const picture of [...named(page, 'img'), ...named(page, 'image')])
    expectPng(picture.attributes.src ?? picture.attributes.href)
  expect(classed(page, 'picture')).toHaveLength(12) // a tenth is held out
  expect(named(page, 'button').map(({ attributes }) => attributes.title)).toEqual(
    // of three examples; a ResNet has no attention
    model === 'vit' ? [...heads, ...heads, ...heads] : [],
  )
})

const heads = [1, 2].flatMap((layer) =>
  ['mean of 2 heads', 'head 1', 'head 2'].map((name) => `layer ${layer}, ${name}`),
)

/** Each picture is a PNG in the page itself, of the size of an image or of its patches. */
function expectPng(url: string): void {
  expect(url).toMatch(/^data:image\/png;base64,/)
  const file = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
  expect(file.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  const sides = [16, 20].map((at) => file.readUInt32BE(at))
  expect(sides[0]).toBe(sides[1])
  expect([SIDE, SIDE / 4]).toContain(sides[0])
}

const defaults = (given: object) =>
  taskDefinition('image-classification').options.parse(given) as Record<string, unknown>

it('draws a batch by seed and step, and mixes labels as it mixes images', async () => {
  const folder = await temporaryFolder()
  const source = await openRows(await dataIn(folder))
  const preprocessor = new ImageProcessor({ do_resize: false, image_mean: [0], image_std: [1] })
  const task = taskDefinition('image-classification').create({
    options: defaults({ mixup: 0.5, cutmix: 0.5, crop: 0.6, randAugment: 3 }),
    facts: { labels: ['0', '1', '2'] },
    preprocessor,
    modelType: 'vit',
    contextLength: Number.POSITIVE_INFINITY,
  })
  const examples: unknown[] = []
  for await (const row of source.rows()) examples.push(...(await task.encode(row)))
  const some = examples.slice(0, 9)
  const make = (step: number) => task.collateForTraining?.(some, 1, { seed: 4, step })
  expect(make(3)).toEqual(make(3))
  expect(make(3)).not.toEqual(make(4))
  const { labels, pixel_values } = make(3) ?? {}
  expect(pixel_values.shape).toEqual([9, 1, SIDE, SIDE])
  for (let row = 0; row < 9; row++) {
    const [a, b, c] = Array.from(labels.data.subarray(3 * row, 3 * row + 3), Number)
    expect(a + b).toBeCloseTo(1, 6)
    expect(c).toBe(0)
  }
  expect(task.collate(some, 1, { seed: 0, step: 0 }).labels.data).toEqual(
    Int32Array.from([0, 1, 0, 1, 0, 1, 0, 1, 0]),
  )
})

it('cuts small images in at most 64 patches, large ones in those of published models', () => {
  const patchOf = (height: number, width: number): unknown =>
    taskDefinition('image-classification').newModelConfig({
      options: defaults({}),
      facts: { labels: ['a', 'b'] },
      preprocessor: new ImageProcessor({ size: { height, width } }),
      modelType: 'vit',
    }).patch_size
  expect([patchOf(28, 28), patchOf(32, 64), patchOf(224, 224), patchOf(29, 31)]).toEqual([
    4, 8, 16, 4,
  ])
})

it('tells what is wrong with an image, and where', async () => {
  const folder = await temporaryFolder()
  const rows = ['absent.png,cat', 'broken.png,dog'].join('\n')
  await writeFile(join(folder, 'pictures.csv'), `image,label\n${rows}\n`)
  await writeFile(join(folder, 'broken.png'), 'no image')
  const config = parseTrainConfig({
    model: 'vit',
    task: 'image-classification',
    data: [join(folder, 'pictures.csv')],
    imageSize: 16,
  })
  await expect(trainModel({ config, out: join(folder, 'run') })).rejects.toThrow(
    heedError('invalid-data', { mentions: 'absent.png' }),
  )
})

it('names every image that cannot be opened, and leaves no folder', async () => {
  const folder = await temporaryFolder()
  const rows = ['a', 'b'].map((label) => ({ image: `${label}.png`, label }))
  const data = join(folder, 'images.jsonl')
  await writeFile(data, rows.map((row) => JSON.stringify(row)).join('\n'))
  await writeFile(join(folder, 'a.png'), 'no image')
  const config = parseTrainConfig({ model: 'vit', data: [data] })
  const out = join(folder, 'run')
  await expect(trainModel({ config, out })).rejects.toThrow(
    heedError('invalid-data', { mentions: ['2 rows', 'a.png', 'b.png'] }),
  )
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})
