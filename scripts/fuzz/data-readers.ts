// Readers of rows, images, and prepared data.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { openExamples } from '../../src/data/examples/example-file.ts'
import { Packer } from '../../src/data/examples/pack.ts'
import {
  ImageProcessor,
  type ImageSource,
  openImage,
  openRows,
  readIdx,
} from '../../src/data/index.ts'
import { openTokens } from '../../src/data/token-files.ts'
import { attempt } from './attempt.ts'
import type { FuzzReader, Sample, SampleFile } from './input.ts'
import { joined } from './mutate-bytes.ts'
import { fixture, fixturesIn, gzipped, jsonFile, samplesOf, utf8 } from './samples.ts'

async function readRows(paths: string | string[], options = {}): Promise<void> {
  const source = await openRows(paths, options)
  for await (const _ of source.rows());
}

/** Reads `rows.ENDING`, or `rows.ENDING.gz` if the sample is compressed. */
const rowReader = (
  ending: string,
  texts: readonly (string | Uint8Array)[],
  words: readonly string[],
): FuzzReader => ({
  name: `rows.${ending}`,
  samples: () => [
    ...texts.map((text) => ({
      files: { [`rows.${ending}`]: typeof text === 'string' ? utf8(text) : text },
    })),
    { files: { [`rows.${ending}.gz`]: gzipped(String(texts[0])) } },
  ],
  read: (folder) => readRows(folder),
  words,
})

const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'))

const CSV = `text,label,n\n"a ""quoted"" text, with\nlines",good,1\nplain,bad,\n😀,good,1e5\n,NaN,nan\n`
const JSONL = `{"text":"a","label":1,"tags":["x",null],"deep":{"a":[{"b":1.5}]}}\n\n{"text":"b","label":null}\n`
const SQUAD = {
  data: [{ paragraphs: [{ context: 'It is blue.', qas: [{ id: '1', question: 'What?', answers: [{ text: 'blue', answer_start: 6 }] }] }] }], // biome-ignore format: one line
}

function idxSample(): Sample {
  const images = 'old-runs/data/bars-images-idx3-ubyte'
  const labels = 'old-runs/data/bars-labels-idx1-ubyte'
  const names = { [images]: 'bars-images-idx3-ubyte', [labels]: 'bars-labels-idx1-ubyte' }
  return {
    files: Object.fromEntries(Object.entries(names).map(([path, name]) => [name, fixture(path)])),
  }
}

/** Files of pyarrow, and damaged files that once caused problems. */
function parquetSamples(): Sample[] {
  const paths = fixturesIn('rows').filter((path) => /(?<!broken-text)\.parquet$/.test(path))
  const changed = (name: string, at: number, byte: number): Uint8Array =>
    fixture(`rows/${name}.parquet`).map((each, i) => (i === at ? byte : each))
  const deep = new Uint8Array(20_000).fill(0x19) // nested lists
  const hostile = [
    changed('none', 5654, 0o27),
    changed('snappy', 3399, 0o50),
    joined(utf8('PAR1'), deep, u32(deep.length), utf8('PAR1')),
  ]
  return [
    ...samplesOf(paths, 'rows.parquet'),
    ...hostile.map((bytes): Sample => ({ files: { 'rows.parquet': bytes }, refused: true })),
  ]
}

/** A folder for each label. */
const imageSamples = (): Sample[] =>
  fixturesIn('images/files').map((path) => {
    const changed = `a/${path.slice(path.lastIndexOf('/') + 1)}`
    const files = { [changed]: fixture(path), 'b/grey.png': fixture('images/files/grey.png') }
    return { files, changed: [changed] }
  })

const PROCESSOR = {
  image_processor_type: 'ViTImageProcessor',
  do_resize: true,
  size: { height: 8, width: 8 },
  resample: 2,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
}

const TOKENS = {
  format: 'heed-tokens',
  version: 1,
  dtype: 'u16',
  vocabSize: 300,
  tokenizerHash: 'a',
  textHash: 'b',
  tokens: 64,
  shards: [
    { file: 'tokens-00000.bin', tokens: 40 },
    { file: 'tokens-00001.bin', tokens: 24 },
  ],
  documents: [0, 10, 50],
}

/** A file of examples whose contents are changed, and then wrapped with a valid hash. */
function exampleFile(): SampleFile {
  const packer = new Packer()
  packer.add({ ids: [1, 2, 70_000, -5], text: 'a whale \ud800', tags: ['a', null, -1.5, true, {}] })
  const frame = { format: 'heed-examples', version: 1, key: 'key', count: 1 }
  return {
    parts: { example: packer.take() },
    pack({ example }) {
      const body = joined(example, u32(example.length), u32(4))
      const sha256 = createHash('sha256').update(body).digest('hex')
      const footer = jsonFile({ ...frame, bytes: example.length, sha256 })
      return joined(body, footer, u32(footer.length))
    },
  }
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)

const tokens = (count: number): SampleFile =>
  new Uint8Array(Uint16Array.from({ length: count }, (_, i) => (7 * i) % 300).buffer)

export const dataReaders: readonly FuzzReader[] = [
  rowReader(
    'csv',
    [
      CSV,
      CSV.replaceAll(',', ';'),
      CSV.replaceAll('\n', '\r\n').replaceAll('"', "'"),
      utf16(CSV),
      `${','.repeat(20_000)}\n1\n`,
    ],
    [',', ';', '|', '\t', '"', '""', "'", '\n', '\r', '\r\n', '\0', ' '],
  ),
  rowReader('tsv', [CSV.replaceAll(',', '\t')], ['\t', '"', '\n', '\r', '\0', '\\t']),
  rowReader('jsonl', [JSONL], ['{', '}', '[', ']', '"', ',', '\n', '\r', ':', 'NaN', '\\u']),
  rowReader(
    'json',
    [JSON.stringify(SQUAD), JSON.stringify([{ text: 'a', label: 1 }, { text: 'b' }])],
    ['{', '}', '[', ']', '"', ',', ':', 'NaN', '"data":[', '"paragraphs":['],
  ),
  rowReader('txt', ['One line.\nAnother é 😀\r\n\n  last', utf16('One\nTwo')], ['\n', '\0', '\r']),
  {
    name: 'parallel-text',
    samples: () => [
      { files: { 'train.en': utf8('a b\nc\nd\n'), 'train.fr': gzipped('x\ny\nz\n') } },
    ],
    read: (folder) => readRows([join(folder, 'train.en'), join(folder, 'train.fr')]),
    words: ['\n', '\r', '\0'],
  },
  {
    name: 'parquet',
    samples: parquetSamples,
    read: (folder) => readRows(join(folder, 'rows.parquet')),
  },
  {
    name: 'images',
    samples: imageSamples,
    read: async (folder) => {
      for await (const { values } of (await openRows(folder)).rows())
        await attempt(() => openImage(values.image as ImageSource))
    },
  },
  {
    name: 'idx',
    samples: () => [idxSample()],
    read: async (folder) => {
      await attempt(() => readIdx(join(folder, 'bars-labels-idx1-ubyte')))
      return readRows(join(folder, 'bars-images-idx3-ubyte'))
    },
  },
  {
    name: 'preprocessor_config',
    samples: () => [
      { files: { 'preprocessor_config.json': jsonFile(PROCESSOR) } },
      { files: { 'preprocessor_config.json': jsonFile({ ...PROCESSOR, size: { shortest_edge: 8 }, do_center_crop: true, crop_size: 8 }) } }, // biome-ignore format: one line
      {
        files: { 'preprocessor_config.json': fixture('old-runs/images/preprocessor_config.json') },
      },
    ],
    read: async (folder) => {
      const processor = await ImageProcessor.fromFile(folder)
      const { size, crop_size } = processor.config
      const sides = [size, crop_size].flatMap((each) =>
        typeof each === 'object' ? Object.values(each) : [each],
      )
      if (sides.some((side) => Number(side) > 2048)) return // the settings ask for large images
      const data = new Uint8Array(12 * 10 * 3).fill(100)
      const image = processor.fit({ width: 12, height: 10, channels: 3, data })
      const { width, height, channels } = image
      processor.normalize(image, new Float32Array(width * height * channels))
    },
  },
  {
    name: 'tokens',
    samples: () => [
      {
        files: {
          'meta.json': jsonFile(TOKENS),
          'tokens-00000.bin': tokens(40),
          'tokens-00001.bin': tokens(24),
        },
      },
    ],
    read: (folder) => openTokens(folder),
  },
  {
    name: 'examples',
    samples: () => [{ files: { 'examples.bin': exampleFile() } }],
    read: async (folder) => {
      const file = await openExamples(join(folder, 'examples.bin'), 'key')
      for (let i = 0; file && i < file.length; i++) file.at(i)
      await file?.close()
    },
  },
]
