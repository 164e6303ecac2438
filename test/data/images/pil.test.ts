// Against PIL and transformers' image processors: see scripts/fixtures/image_processing.py.
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Box,
  type Image,
  ImageProcessor,
  type ImageProcessorConfig,
  type Resample,
  readImage,
  resize,
} from '../../../src/data/index.ts'
import { readJson } from '../../../src/io/files/json.ts'
import { openSafetensors } from '../../../src/io/safetensors/safetensors.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import { heedError } from '../../support/heed-error.ts'

const folder = join(FIXTURES, 'images')
const pictures = new Map<string, Image>()

interface Stored {
  shape: readonly number[]
  values: Float32Array
}

async function readAll(name: string): Promise<Map<string, Stored>> {
  const file = await openSafetensors(join(folder, `${name}.safetensors`))
  const found = new Map<string, Stored>()
  for (const key of file.names)
    found.set(key, { shape: file.info(key).shape, values: await file.read(key, { as: 'f32' }) })
  await file.close()
  return found
}

beforeAll(async () => {
  for (const [key, { shape, values }] of await readAll('resize')) {
    const [height, width, channels] = shape
    if (key.startsWith('input.'))
      pictures.set(key.slice(6), { width, height, channels, data: Uint8Array.from(values) })
  }
})

const picture = (name: string): Image => pictures.get(name) as Image

it('resizes to the byte as PIL does, with every filter', async () => {
  const cases = (await readJson(join(folder, 'resize.json'))) as unknown as {
    picture: string
    width: number
    height: number
    resample: Resample
    box?: Box
  }[]
  const stored = await readAll('resize')
  for (const [i, { picture: name, width, height, resample, box }] of cases.entries()) {
    const { data } = resize(picture(name), width, height, resample, box)
    const told = `${name} ${resample} ${width} x ${height}`
    expect([...data], told).toEqual([...(stored.get(`case.${i}`)?.values ?? [])])
  }
})

it('makes of images what the processors of transformers make', async () => {
  const cases = (await readJson(join(folder, 'processors.json'))) as unknown as {
    picture: string
    config: ImageProcessorConfig
  }[]
  const stored = await readAll('processors')
  for (const [i, { picture: name, config }] of cases.entries()) {
    const processor = new ImageProcessor(config)
    const fitted = processor.fit(picture(name))
    const { width, height, channels } = fitted
    const out = new Float32Array(width * height * channels)
    processor.normalize(fitted, out)
    const wanted = stored.get(`case.${i}`) as Stored
    const [, rows, columns] = wanted.shape
    const told = `${config.image_processor_type} ${JSON.stringify(config.size)}`
    if (rows < 40) expect([channels, height, width], told).toEqual(wanted.shape)
    if (processor.outputSize) expect([height, width], told).toEqual(processor.outputSize)
    let worst = 0
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          const got = out[(c * height + y) * width + x]
          worst = Math.max(worst, Math.abs(got - wanted.values[(c * rows + y) * columns + x]))
        }
    expect(worst, told).toBeLessThan(1e-5 * Math.max(1, ...wanted.values.map(Math.abs)))
  }
})

describe('files of images', () => {
  it('are read as PIL reads them, upright', async () => {
    for (const [name, { shape, values }] of await readAll('files')) {
      const image = await readImage(join(folder, 'files', name))
      expect([image.height, image.width], name).toEqual(shape.slice(0, 2))
      const { data } = new ImageProcessor({ do_resize: false }).fit(image)
      const worst = Math.max(...data.map((byte, i) => Math.abs(byte - values[i])))
      expect(worst, name).toBeLessThanOrEqual(name.endsWith('.jpg') ? 3 : 0)
    }
  })

  it.each([
    ['cut.png', heedError('corrupt-file', { mentions: 'cut.png' })],
    ['cut.jpg', heedError('corrupt-file', { mentions: 'cut.jpg' })],
    ['text.png', heedError('corrupt-file', { mentions: 'text.png' })],
    ['absent.png', heedError('missing-file', { mentions: 'absent.png' })],
  ])('that are broken are refused by name: %s', async (name, error) => {
    await expect(readImage(join(folder, 'files', name))).rejects.toThrow(error)
  })
})
