import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  type Image,
  ImageProcessor,
  idxRows,
  imageFolderRows,
  isIdx,
  isImageFolder,
  type Row,
  type RowSource,
  readIdx,
} from '../../../src/data/index.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import { temporaryFolder } from '../../io/temporary-folder.ts'
import { heedError } from '../../support/heed-error.ts'
import { hasLinks } from '../../support/links.ts'

async function allOf(source: RowSource): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of source.rows()) rows.push(row)
  return rows
}

/** The file of an array, with these sizes told. */
function idx(shape: number[], data: ArrayLike<number>): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length)
  head.set([0, 0, 8, shape.length])
  for (const [i, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * i)
  return Buffer.concat([head, Buffer.from(Array.from(data))])
}

describe('IDX', () => {
  it('gives images with the labels of the file beside', async () => {
    const folder = await temporaryFolder()
    const pixels = Array.from({ length: 12 }, (_, i) => i * 20)
    const images = join(folder, 'train-images-idx3-ubyte.gz')
    await writeFile(images, gzipSync(idx([2, 2, 3], pixels)))
    expect(idxRows(images).columns).toEqual(['image'])
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), idx([2], [7, 0]))
    const source = idxRows(images)
    expect(source.columns).toEqual(['image', 'label'])
    const [first, second] = await allOf(source)
    expect(first.values.label).toBe(7)
    expect(second).toMatchObject({ file: images, number: 2, values: { label: 0 } })
    const { data, ...size } = second.values.image as Image
    expect(size).toEqual({ width: 3, height: 2, channels: 1 })
    expect([...data]).toEqual(pixels.slice(6))
  })

  it('is known by its name', () => {
    expect(isIdx('data/t10k-images-idx3-ubyte.gz')).toBe(true)
    expect(isIdx('t10k-images.idx3-ubyte')).toBe(true)
    expect(isIdx('idx.csv')).toBe(false)
  })

  it.each([
    [Buffer.from([1, 2, 3, 4]), ['IDX', 'format']],
    [Buffer.from([0, 0]), ['IDX', 'format']],
    [Buffer.from([0, 0, 13, 1, 0, 0, 0, 0]), 'type 13'],
    [Buffer.from([0, 0, 8, 3, 0, 0]), 'no sizes'],
    [idx([2, 2], [1, 2, 3]), ['got 3 bytes', '2 x 2']],
    [idx([0xffffffff, 0xffffffff], [1]), 'got 1 bytes'],
    [gzipSync(idx([3], [1, 2, 3])).subarray(0, 12), 'bad-idx1-ubyte'],
  ])('that is broken is refused', async (bytes, mentions) => {
    const path = join(await temporaryFolder(), 'bad-idx1-ubyte')
    await writeFile(path, bytes)
    await expect(readIdx(path)).rejects.toThrow(heedError('corrupt-file', { mentions }))
  })

  it('must hold as many labels as images, and images', async () => {
    const folder = await temporaryFolder()
    const images = join(folder, 'images-idx3-ubyte')
    const labels = join(folder, 'labels-idx1-ubyte')
    await writeFile(images, idx([1, 1, 1], [9]))
    await writeFile(labels, idx([2], [1, 2]))
    await expect(allOf(idxRows(images))).rejects.toThrow(
      heedError('invalid-data', { mentions: ['(1)', 'got 2'] }),
    )
    await expect(allOf(idxRows(labels))).rejects.toThrow(
      heedError('invalid-data', { mentions: ['images', 'sizes of 2'] }),
    )
  })
})

describe('a folder of images', () => {
  it('has a folder for each label', async () => {
    const folder = await temporaryFolder()
    const files = join(FIXTURES, 'images', 'files')
    for (const label of ['owl', 'cat/young', '.hidden'])
      await mkdir(join(folder, label), { recursive: true })
    await cp(join(files, 'rgb.png'), join(folder, 'owl', 'b.PNG'))
    await cp(join(files, 'grey.png'), join(folder, 'owl', 'a.png'))
    await cp(join(files, 'photo.jpg'), join(folder, 'cat', 'young', 'c.jpg'))
    await cp(join(files, 'rgb.png'), join(folder, '.hidden', 'd.png'))
    await writeFile(join(folder, 'owl', 'notes.txt'), 'x')
    if (hasLinks) {
      await symlink(folder, join(folder, 'loop'))
      await symlink(join(folder, 'nowhere.png'), join(folder, 'owl', 'lost.png'))
    }
    expect(isImageFolder(folder)).toBe(true)
    expect(isImageFolder(join(folder, 'owl'))).toBe(false)
    const rows = await allOf(imageFolderRows(folder))
    const paths = ['cat/young/c.jpg', 'owl/a.png', 'owl/b.PNG'].map((path) => join(folder, path))
    expect(rows.map(({ file }) => file)).toEqual(paths)
    expect(rows.map(({ values }) => values.label)).toEqual(['cat', 'owl', 'owl'])
    expect(rows[2]).toMatchObject({ number: 3, values: { image: { file: paths[2] } } })
  })

  it('without such folders is refused', async () => {
    const folder = await temporaryFolder()
    await expect(allOf(imageFolderRows(folder))).rejects.toThrow(
      heedError('invalid-data', { key: 'data', mentions: 'label' }),
    )
    await expect(allOf(imageFolderRows(join(folder, 'absent')))).rejects.toThrow(
      heedError('missing-file', { value: join(folder, 'absent') }),
    )
  })
})

describe('an image processor', () => {
  const image: Image = { width: 1, height: 1, channels: 3, data: Uint8Array.from([200, 100, 50]) }

  it('is kept with the keys that it does not know', async () => {
    const folder = await temporaryFolder()
    const config = { size: { height: 3, width: 4 }, image_mean: [0.3], image_std: [0.2], more: 'x' }
    await new ImageProcessor(config).save(folder)
    const again = await ImageProcessor.fromFile(folder)
    expect(again.config).toMatchObject({ ...config, image_processor_type: 'ViTImageProcessor' })
    expect(again.outputSize).toEqual([3, 4])
    expect(again.channels).toBe(1)
  })

  it('reads null as a key that is absent', async () => {
    const folder = await temporaryFolder()
    const config = {
      do_resize: true,
      size: { height: 16, width: 16 },
      resample: 2,
      image_std: [0.5, 0.5, 0.5],
    }
    const absent = 'crop_size data_format default_to_square device do_center_crop do_convert_rgb do_normalize do_rescale image_mean image_processor_type feature_extractor_type crop_pct rescale_factor input_data_format return_tensors'.split(' ') // biome-ignore format: one line
    const nulls = Object.fromEntries(absent.map((key) => [key, null]))
    await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify({ ...nulls, ...config })) // biome-ignore format: one line
    const { config: opened } = await ImageProcessor.fromFile(folder)
    expect(opened).toEqual(new ImageProcessor(config).config)
  })

  it('shows colours in grey, and grey in colours', () => {
    const grey = new ImageProcessor({ do_resize: false, image_mean: [0.5], image_std: [0.5] })
    const { data } = grey.fit(image)
    expect([...data]).toEqual([124]) // 0.299 · 200 + 0.587 · 100 + 0.114 · 50
    const colour = new ImageProcessor({ do_resize: false })
    const alpha = { width: 1, height: 1, channels: 2, data: Uint8Array.from([9, 0]) }
    expect([...colour.fit(alpha).data]).toEqual([9, 9, 9])
  })

  it('refuses what does not fit, by name', () => {
    expect(() => new ImageProcessor({ size: { height: 0, width: 5 } })).toThrow(
      heedError('invalid-config', { mentions: 'size' }),
    )
    expect(() => new ImageProcessor({ resample: 9 })).toThrow(
      heedError('invalid-config', { mentions: 'resample' }),
    )
    expect(() => new ImageProcessor({ image_mean: [0, 0], image_std: [1, 1, 1] })).toThrow(
      heedError('invalid-config', { key: 'image_mean', value: [0, 0], mentions: ['3', 'got 2'] }),
    )
    expect(() => new ImageProcessor({ image_std: [1, 0, 1] })).toThrow(
      heedError('invalid-config', { key: 'image_std', value: [1, 0, 1], mentions: /\b0\b/ }),
    )
    const processor = new ImageProcessor({ image_mean: [0, 0], image_std: [1, 1] })
    expect(() => processor.fit(image)).toThrow(
      heedError('invalid-option', { key: 'channels', value: 2, mentions: ['1', '3'] }),
    )
  })
})
