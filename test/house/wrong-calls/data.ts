// `heed/data`: functions of files work in a folder of their own.
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as data from '../../../src/data/index.ts'
import { trainTokenizer } from '../../../src/tokenizers/index.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import { type Argument, arg, type Sample, samplesOf } from './damage.ts'

const scratch = mkdtempSync(join(tmpdir(), 'heed-wrong-calls-'))
const none = join(scratch, 'none')
const notText = [undefined, null, 3, Number.NaN, {}, [3], true]
const noPaths = ['a\0b', 'a'.repeat(5000)]
const file = (value: string): Argument => ({
  value,
  wrong: [...notText, ...noPaths, none, scratch],
})
const folder = (value: string): Argument => ({ value, wrong: [...notText, ...noPaths, none, rows] })
const files = (value: readonly string[]): Argument => ({
  value,
  wrong: [undefined, null, 3, 'x', {}, [3], [none], [scratch]],
})
const target = (name: string): Argument => ({ value: join(scratch, name), wrong: notText })
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(scratch, name), content)
  return join(scratch, name)
}

const text = write('a.txt', 'to be or not to be')
const rows = write('a.jsonl', '{"text":"to be"}\n')
const table = write('a.csv', 'text\nto be\n')
const idx = write('a-images-idx3-ubyte', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7)) // biome-ignore format: one line
mkdirSync(join(scratch, 'images', 'cat'), { recursive: true })
const pictures = join(scratch, 'images')
const picture = join(FIXTURES, 'images', 'files', 'rgb.png')
write('images/cat/a.png', '')

const byte = (values: readonly number[]): Uint8Array => Uint8Array.from(values)
const pixels = { width: 2, height: 1, channels: 3, data: byte([1, 2, 3, 4, 5, 6]) }
const wrongPixels = [
  ...[undefined, null, 3, 'x', {}, [], byte([1]), { ...pixels, data: [1, 2, 3, 4, 5, 6] }],
  { ...pixels, width: 3 },
  { ...pixels, height: Number.NaN },
  { ...pixels, channels: '3' },
]
const image: Argument = { value: pixels, wrong: wrongPixels }
const draw: Argument = { value: data.drawsOf(1, 1, 1), wrong: [undefined, null, 3, 'x', {}] }
const changes = { crop: 0.5, shift: 1, flip: true, jitter: 0, hue: 0, randAugment: 0, erase: 0 }
const mixing = { mixup: 1, cutmix: 0 }

const tokenizer = trainTokenizer(['to be or not to be'], { type: 'char' })
const ids = data.TokenDataset.fromIds([1, 2, 3, 1, 2, 3, 1, 2], { vocabSize: 4 })
const dataset: Argument = { value: ids, wrong: [undefined, null, 3, 'x', {}, [1, 2, 3]] }
const sizes = { batchSize: 1, contextLength: 2 }
const wrongWindows = [
  ...[undefined, null, 3, 'x', {}, { batchSize: 1 }, { batch_size: 1, contextLength: 2 }],
  ...[0, 1.5, 'x', Number.NaN].flatMap((wrong) => [
    { ...sizes, batchSize: wrong },
    { ...sizes, contextLength: wrong },
  ]),
  { ...sizes, contextLength: 8 },
  { ...sizes, seed: -1 },
  { ...sizes, sead: 1 },
]
const examples = { length: ({ length }: number[]) => length, collate: () => ({}), batchSize: 1 }
const bucketed = { ...examples, examples: [[1], [2, 3]] }
const notExamples = [undefined, null, 3, 'x', {}, new Map()]
const preparing = { files: [text], tokenizer, cacheDir: join(scratch, 'cache') }
const source = await data.openRows(rows)
const notSource = [undefined, null, 3, 'x', {}, [], { columns: ['text'] }]
const mistakes: Argument = { value: new data.Mistakes(), wrong: [undefined, null, 3, 'x', {}] }
const reader = { name: 'wrongcalls', endings: ['wrongcalls'], read: async function* () {} }
const step: Argument = { value: 0, wrong: [undefined, null, 'x', -1, 1.5, Number.NaN] }
const sampler = new data.RandomWindows(ids, sizes)
const encoding: Argument = { value: 'utf-8', wrong: [null, 3, {}, 'utf-99'] }
const memory: Argument = {
  value: {},
  wrong: [null, 3, 'x', { maxBytes: 1 }, { maxBytesInMemory: 'x' }, { maxBytesInMemory: -1 }],
}

const packer = new data.Packer()
packer.add([1, 2])
const packed = { bytes: packer.take(), sizes: Uint32Array.of(7), lengths: Uint32Array.of(2) }
packed.sizes[0] = packed.bytes.length
const stored = join(scratch, 'examples')
await data.writeExamples(stored, 'key', of(packed))
const cached = join(scratch, 'tokens')
await data.prepareTokens({ ...preparing, cacheDir: cached }).then((tokens) => tokens.close())
const [prepared] = readdirSync(cached)

async function* of<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

export const functions: Record<string, readonly Argument[]> = {
  BucketedBatches: [
    {
      value: bucketed,
      wrong: [
        ...[undefined, null, 3, 'x', {}, examples, { ...bucketed, batch_size: 1 }],
        ...notExamples.map((wrong) => ({ ...bucketed, examples: wrong })),
        { ...bucketed, examples: [] },
        { ...bucketed, length: 3 },
        { ...bucketed, length: () => undefined },
        { ...bucketed, length: () => Number.NaN },
        { ...bucketed, collate: 'x' },
        { ...bucketed, batchSize: 0 },
        { ...bucketed, batchSize: 'x' },
        { ...bucketed, buckets: 1.5 },
        { ...bucketed, seed: -1 },
      ],
    },
  ],
  ImageProcessor: [
    {
      value: {},
      wrong: [null, 3, 'x', [], { size: 'x' }, { size: 0 }, { image_std: 0 }, { image_mean: [] }],
    },
    { value: 'a.json', wrong: [null, 3, {}] },
  ],
  JoinedExamples: [{ value: [[1], [2, 3]], wrong: [...notExamples, [3], ['x'], [undefined]] }],
  Prefetch: [
    { value: sampler, wrong: [undefined, null, 3, 'x', {}] },
    { value: 2, wrong: [null, 'x', -1, 1.5, Number.NaN] },
  ],
  RandomWindows: [dataset, { value: sizes, wrong: wrongWindows }],
  SequentialWindows: [
    dataset,
    {
      value: sizes,
      wrong: [
        ...wrongWindows,
        { ...sizes, shufle: true },
        { ...sizes, shuffle: 'x' },
        { ...sizes, drop_last: true },
        { ...sizes, dropLast: 3 },
        { ...sizes, batchSize: 9 },
      ],
    },
  ],
  TokenDataset: [
    {
      value: { name: 'data', source: new data.JoinedExamples([[1]]), vocabSize: 4, documents: [0], ranges: [[0, 1]] }, // biome-ignore format: one line
      wrong: [undefined, null, 3, 'x', {}, [1, 2]],
    },
  ],
  augment: [
    image,
    {
      value: changes,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...changes, flip: 'x' }, { ...changes, shift: 1.5 }],
        ...['crop', 'shift', 'jitter', 'hue', 'randAugment', 'erase'].flatMap((name) =>
          [undefined, 'x', -1, 1.5e3 + 0.5, Number.NaN].map((wrong) => ({
            ...changes,
            [name]: wrong,
          })),
        ),
      ],
    },
    draw,
  ],
  drawsOf: [step, step, step],
  encodePng: [image],
  findTextFiles: [{ value: text, wrong: [undefined, null, 3, {}, [], [3], none, pictures] }],
  firstExamples: [
    { value: [[1], [2]], wrong: notExamples },
    { value: 1, wrong: [null, 'x', -1, 1.5, Number.NaN] },
  ],
  hashFiles: [files([text]), { value: () => {}, wrong: [null, 3, 'x', {}] }],
  hashTokenizer: [
    { value: tokenizer, wrong: [undefined, null, 3, 'x', {}, { encode: () => [1] }] },
  ],
  holdsRows: [{ value: rows, wrong: notText }],
  idxRows: [{ value: idx, wrong: notText }],
  imageFolderRows: [{ value: pictures, wrong: notText }],
  isIdx: [{ value: idx, wrong: notText }],
  isImageFolder: [folder(pictures)],
  isMissing: [arg.any(null)],
  mix: [
    image,
    { value: pixels, wrong: [...wrongPixels, { ...pixels, width: 1, height: 2 }] },
    {
      value: mixing,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { mixup: 1 }, { mixUp: 1, cutmix: 0 }],
        ...['x', -1, Number.NaN].flatMap((wrong) => [
          { mixup: wrong, cutmix: 1 },
          { mixup: 1, cutmix: wrong },
        ]),
      ],
    },
    draw,
  ],
  openExamples: [
    { value: stored, wrong: [...notText, scratch] },
    { value: 'key', wrong: [undefined, null, 3, {}] },
    memory,
  ],
  openImage: [
    {
      value: pixels,
      wrong: [
        ...wrongPixels,
        ...[...notText, none, scratch].map((wrong) => ({ file: wrong })),
        ...[undefined, null, 3, 'x', [1], byte([1, 2])].map((wrong) => ({ bytes: wrong })),
      ],
    },
  ],
  openRows: [
    {
      value: table,
      wrong: [
        undefined,
        null,
        3,
        {},
        [],
        [3],
        none,
        [none],
        'a\0b',
        ['a'.repeat(5000)],
        `${none}/*.csv`,
      ],
    },
    {
      value: {},
      wrong: [
        ...[null, 3, 'x', { sep: ',' }, { delimiter: ',' }, { format: 'jsonn' }, { format: 3 }],
        ...[{ columns: 'a' }, { columns: [3] }, { unit: 'lines' }, { unit: 3 }],
        ...[{ separator: 3 }, { separator: '' }, { separator: ', ' }, { quote: 3 }],
        ...[{ quote: '""' }, { encoding: 3 }, { encoding: 'utf-99' }],
      ],
    },
  ],
  openTokens: [folder(join(cached, prepared)), memory],
  prepareTokens: [
    {
      value: preparing,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...preparing, cache_dir: 'x' }],
        ...[undefined, null, 3, text, [], [3], [none], [scratch]].map((wrong) => ({
          ...preparing,
          files: wrong,
        })),
        ...[undefined, null, 3, 'x', {}, { encode: () => [1] }].map((wrong) => ({
          ...preparing,
          tokenizer: wrong,
        })),
        ...[undefined, null, 3, text].map((wrong) => ({ ...preparing, cacheDir: wrong })),
        { ...preparing, encoding: 3 },
        { ...preparing, encoding: 'utf-99' },
        { ...preparing, onProgress: 'x' },
        { ...preparing, encode: 'x' },
        { ...preparing, shardTokens: 0 },
        { ...preparing, shardTokens: Number.NaN },
      ],
    },
  ],
  readIdx: [file(idx)],
  readImage: [file(picture)],
  readLines: [
    file(text),
    mistakes,
    {
      value: {},
      wrong: [
        ...[null, 3, 'x', { line_end: '\n' }, { lineEnd: '\r\n' }, { lineEnd: 3 }],
        ...[{ encoding: 3 }, { encoding: 'utf-99' }, { keepReturns: 'x' }, { isPlain: 3 }],
      ],
    },
  ],
  readText: [file(text), encoding],
  registerReader: [
    {
      value: reader,
      wrong: [
        ...[undefined, null, 3, 'x', {}, { ...reader, name: 'csv' }],
        ...[3, '', 'a/b'].map((wrong) => ({ ...reader, name: wrong })),
        ...[undefined, 3, 'x', [], [3], ['a b'], ['csv']].map((wrong) => ({
          ...reader,
          name: 'wrongcalls2',
          endings: wrong,
        })),
        ...['read', 'accepts', 'describe', 'plainText'].map((key) => ({
          ...reader,
          name: 'wrongcalls2',
          endings: ['wrongcalls2'],
          [key]: 3,
        })),
      ],
    },
  ],
  resize: [
    image,
    { value: 1, wrong: [undefined, null, 'x', 0, 1.5, 1e6, Number.NaN] },
    { value: 1, wrong: [undefined, null, 'x', 0, 1.5, 1e6, Number.NaN] },
    arg.word('bilinear'),
    {
      value: { left: 0, top: 0, width: 1, height: 1 },
      wrong: [
        ...[null, 3, 'x', {}, { left: 0, top: 0, width: 1 }],
        { left: 0, top: 0, width: 1, height: 'x' },
        { left: 0, top: 0, width: 1, height: Number.NaN },
        { left: 0, top: 0, width: 0, height: 1 },
        { left: -1, top: 0, width: 1, height: 1 },
        { left: 2, top: 0, width: 1, height: 1 },
        { x: 0, y: 0, width: 1, height: 1 },
      ],
    },
  ],
  savePng: [target('a.png'), image],
  selectExamples: [
    { value: [[1], [2]], wrong: notExamples },
    {
      value: Uint32Array.of(1),
      wrong: [undefined, null, 3, 'x', {}, ['x'], [2], [-1], [0.5], Uint32Array.of(2)],
    },
  ],
  stateOfFiles: [{ ...files([text]), wrong: files([text]).wrong.slice(0, -1) }],
  surveyRows: [{ value: source, wrong: notSource }],
  surveyText: [
    files([text]),
    {
      value: {},
      wrong: [null, 3, 'x', { progress: () => {} }, { onProgress: 3 }, { encoding: 3 }],
    },
  ],
  tableText: [
    { value: [{ a: 1 }], wrong: [undefined, null, 3, 'x', {}, [3], [null], ['x']] },
    { value: ',', wrong: [null, 3, {}, '', ', ', '"', '\n'] },
  ],
  unpackAll: [
    {
      value: packed,
      wrong: [undefined, null, 3, 'x', {}, { bytes: packed.bytes }, { ...packed, bytes: [1] }],
    },
  ],
  writeExamples: [
    target('written'),
    { value: 'key', wrong: [undefined, null, 3, {}] },
    {
      value: of(packed),
      wrong: [undefined, null, 3, 'x', {}, of(3), of({}), of({ ...packed, sizes: [7] })],
    },
  ],
}

const method =
  (owner: object, name: string) =>
  (...args: never[]) =>
    (Reflect.get(owner, name) as (...args: never[]) => unknown).apply(owner, args)
const firstRow = (open: (path: string) => data.RowSource) => async (path: never) => {
  for await (const row of open(path).rows()) return row
}
const processor = new data.ImageProcessor({ size: 2 })
await processor.save(scratch)
const batches = new data.BucketedBatches({ ...bucketed, collate: () => ({}) })
const place = { file: 'a', number: 1 }
const where: Argument = {
  value: place,
  wrong: [undefined, null, 3, 'x', {}, { file: 'a' }, { file: 3, number: 1 }],
}

/** Methods, and readers up to their first row. */
const methods: Sample[] = [
  { name: 'rows of idxRows', call: firstRow(data.idxRows), args: [file(idx)] },
  {
    name: 'rows of imageFolderRows',
    call: firstRow(data.imageFolderRows),
    args: [folder(pictures)],
  },
  { name: 'BucketedBatches.batch', call: method(batches, 'batch'), args: [step] },
  { name: 'RandomWindows.batch', call: method(sampler, 'batch'), args: [step] },
  {
    name: 'SequentialWindows.batch',
    call: method(new data.SequentialWindows(ids, sizes), 'batch'),
    args: [step],
  },
  { name: 'Prefetch.batch', call: method(new data.Prefetch(sampler), 'batch'), args: [step] },
  {
    name: 'ImageProcessor.fromFile',
    call: (path: never) => data.ImageProcessor.fromFile(path),
    args: [{ value: scratch, wrong: [...notText, none, text, `${scratch}/images`] }],
  },
  { name: 'ImageProcessor.fit', call: method(processor, 'fit'), args: [image] },
  {
    name: 'ImageProcessor.normalize',
    call: method(processor, 'normalize'),
    args: [
      image,
      { value: new Float32Array(6), wrong: [undefined, null, 3, [1], new Float32Array(5)] },
      { value: 0, wrong: [null, 'x', -1, 1, Number.NaN] },
    ],
  },
  { name: 'ImageProcessor.save', call: method(processor, 'save'), args: [target('.')] },
  {
    name: 'Mistakes.add',
    call: method(new data.Mistakes(), 'add'),
    args: [where, arg.text('wrong'), { value: 'do', wrong: [null, 3, {}] }],
  },
  {
    name: 'Mistakes.attempt',
    call: method(new data.Mistakes(), 'attempt'),
    args: [where, arg.function(() => 1)],
  },
  {
    name: 'Packer.add',
    call: method(new data.Packer(), 'add'),
    args: [{ value: { a: [1] }, wrong: [new Map(), () => 1, Symbol('x'), 1n, [new Map()]] }],
  },
  {
    name: 'TokenDataset.fromIds',
    call: (...args: never[]) =>
      data.TokenDataset.fromIds(...(args as unknown as [number[], { vocabSize: number }])),
    args: [
      { value: [1, 2], wrong: [undefined, null, 3, {}, ['x'], [1.5], [Number.NaN], [-1]] },
      {
        value: { vocabSize: 4 },
        wrong: [undefined, null, 3, {}, { vocab_size: 4 }, { vocabSize: 'x' }, { vocabSize: 0 }],
      },
    ],
  },
  {
    name: 'TokenDataset.fromSource',
    call: (...args: never[]) =>
      data.TokenDataset.fromSource(
        ...(args as unknown as Parameters<typeof data.TokenDataset.fromSource>),
      ),
    args: [
      { value: new data.JoinedExamples([[1]]), wrong: [undefined, null, 3, 'x', {}, [1]] },
      {
        value: { vocabSize: 4, documents: [0] },
        wrong: [undefined, null, 3, {}, { vocabSize: 4 }, { vocabSize: 4, documents: 'x' }],
      },
    ],
  },
  {
    name: 'TokenDataset.read',
    call: method(ids, 'read'),
    args: [
      { value: 0, wrong: [undefined, null, 'x', -1, 0.5, 9] },
      { value: 2, wrong: [undefined, null, 'x', -1, 0.5, 9] },
      { value: new Int32Array(2), wrong: [null, 3, [1, 2], new Int32Array(1)] },
      { value: 0, wrong: [null, 'x', -1, 0.5, 1] },
    ],
  },
  {
    name: 'TokenDataset.split',
    call: method(ids, 'split'),
    args: [
      {
        value: {},
        wrong: [
          ...[null, 3, 'x', { test_size: 0.1 }, { fractions: 0.1 }, { fraction: 'x' }],
          ...[{ fraction: -1 }, { fraction: 1 }, { fraction: Number.NaN }, { by: 'row' }],
          ...[{ by: 3 }, { seed: -1 }, { seed: 'x' }, { by: 'document', seed: -1 }],
        ],
      },
    ],
  },
]

export const samples: Sample[] = [...samplesOf(data, functions), ...methods]
