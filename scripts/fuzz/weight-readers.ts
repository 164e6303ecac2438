// Readers of tensors: safetensors, GGUF, state dicts of PyTorch.
import { join } from 'node:path'
import { openGGUF, openSafetensors } from '../../src/io/index.ts'
import {
  type ArchiveEntry,
  archiveWith,
  op,
  pickle,
  storage,
  tensorCall,
} from '../../test/io/pytorch-archive.ts'
import { attempt } from './attempt.ts'
import type { FuzzReader, Sample } from './input.ts'
import {
  entriesOf,
  fixture,
  folderSample,
  jsonFile,
  packedArchive,
  packedSafetensors,
  samplesOf,
} from './samples.ts'

async function readTensors(path: string): Promise<void> {
  const file = await openSafetensors(path)
  try {
    for (const name of file.names.slice(0, MOST_TENSORS)) {
      await attempt(() => file.read(name))
      await attempt(() => file.read(name, { as: 'f32' }))
      await attempt(() => file.read(name, { as: 'i32' }))
      await attempt(async () => {
        for await (const _ of file.pieces(name));
      })
    }
  } finally {
    await file.close()
  }
}

const MOST_TENSORS = 8

async function readGGUF(path: string): Promise<void> {
  const file = await openGGUF(path)
  try {
    for (const key of file.metadata.entries.keys()) {
      await attempt(async () => file.metadata.number(key))
      await attempt(async () => file.metadata.strings(key))
    }
    for (const name of file.names.slice(0, 2 * MOST_TENSORS)) {
      await attempt(() => file.readBlocks(name))
      await attempt(async () => {
        for await (const _ of file.pieces(name));
      })
    }
  } finally {
    await file.close()
  }
}

/** Small tensors of every type, and a file with only a header. */
function safetensorsSamples(): Sample[] {
  const types = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL', 'F8_E4M3']
  const bytes = [8, 4, 2, 2, 8, 4, 2, 1, 1, 1, 1]
  let end = 0
  const header = Object.fromEntries(
    types.map((dtype, i) => {
      const begin = end
      end += 6 * bytes[i]
      return [`t.${dtype}`, { dtype, shape: [2, 3], data_offsets: [begin, end] }]
    }),
  )
  const text = jsonFile({ __metadata__: { format: 'pt' }, ...header })
  const file = new Uint8Array(8 + text.length + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  const paths = ['lenient/gpt2-both-names', 'lenient/llama-fp8-blocks', 'gpt2/f16', 'gpt2/bf16']
  return [
    ...Array.from({ length: 3 }, () => packedSafetensors(file)),
    ...paths.map((path) => packedSafetensors(fixture(`${path}/model.safetensors`))),
  ].map((each) => ({ files: { 'model.safetensors': each } }))
}

const w = op.text('w')
const HUGE = 0x7fffffff

/** State dicts that torch.save would not write, but that are valid. */
const soundPickles = (): Buffer[] => [
  pickle(op.dict(w, tensorCall(), op.text('b'), tensorCall({ shape: [2, 2], strides: [2, 1] }))),
  pickle(op.dict(w, tensorCall({ shape: [4, 4], strides: [0, 1] }))),
  pickle(op.dict(w, tensorCall({ shape: [], strides: [] }))),
  pickle(op.dict(w, tensorCall({ shape: [0, 3], strides: [3, 1] }))),
  pickle(op.dict(w, op.call(op.global('torch._utils', '_rebuild_parameter'), op.tuple(tensorCall())))), // biome-ignore format: one line
]

/** Forbidden globals and calls, cycles, depth, and counts, storages and strides out of bounds. */
const hostilePickles = (): Buffer[] => [
  pickle(op.dict(w, tensorCall({ storage: storage(HUGE), shape: [HUGE] }))),
  pickle(op.dict(w, tensorCall({ shape: [HUGE, HUGE], strides: [0, 0] }))),
  pickle(op.dict(w, tensorCall({ shape: [2], strides: [HUGE] }))),
  pickle(op.dict(w, tensorCall({ storage: storage(4, 'FloatStorage', '../data.pkl') }))),
  pickle(op.call(op.global('os', 'system'), op.tuple(op.text('id')))),
  pickle(op.call(op.global('builtins', '__reduce__'), op.tuple())),
  pickle(op.text('torch._utils'), op.text('_rebuild_parameter'), Buffer.from([0x93])),
  pickle(Buffer.from('}q\x00X\x01\x00\x00\x00ah\x00s', 'latin1')), // contains itself
  pickle(Buffer.from(']q\x00h\x00a', 'latin1')),
  pickle(Buffer.alloc(2000, ']'), Buffer.alloc(1999, 'a')),
  pickle(Buffer.alloc(5000, '}'), Buffer.from(')')),
]

/** Archives with a wrong directory: method, flags, sizes, offsets and names of entries. */
function hostileArchives(): ArchiveEntry[][] {
  const [first, second] = archiveWith(pickle(op.dict(w, tensorCall())))
  const records: NonNullable<ArchiveEntry["record"]>[] = [{ 10: 8 }, { 8: 1 }, { 20: 4 }, { 24: HUGE }, { 20: 4000, 24: 4000 }, { 42: 3 }, { 42: 0 }] // biome-ignore format: one line
  const names = ['../../data/0', '/archive/data/0', 'archive/data.pkl', 'archive\\data\\0', '']
  return [
    ...records.map((record) => [first, { ...second, record }]),
    ...names.map((name) => [first, { ...second, name }]),
  ]
}

function pytorchSamples(): Sample[] {
  const files = ['state', 'protocol4'].map((name) => entriesOf(fixture(`pytorch/${name}.bin`)))
  const sampleOf = (entries: readonly ArchiveEntry[]): Sample => ({
    files: { 'pytorch_model.bin': packedArchive(entries) },
  })
  const hostile = [
    entriesOf(fixture('pytorch/module.bin')),
    ...hostilePickles().map(archiveWith),
    ...hostileArchives(),
  ]
  return [
    ...[...files, ...files, ...soundPickles().map(archiveWith)].map(sampleOf),
    ...hostile.map((entries): Sample => ({ ...sampleOf(entries), refused: true })),
  ]
}

/** A set of three files, or a file that claims another number of files. */
function setSample(count = 3): Sample {
  const names = [1, 2, 3].map((n) => `bloom-0000${n}-of-00003.gguf`)
  const files = Object.fromEntries(names.map((name) => [name, fixture(`gguf/${name}`)]))
  const first = Buffer.from(files[names[0]].buffer)
  const key = 'split.count'
  first.writeUInt16LE(count, first.indexOf(key) + key.length + 4) // after the type
  return { files }
}

export const weightReaders: readonly FuzzReader[] = [
  {
    name: 'safetensors',
    samples: safetensorsSamples,
    read: (folder) => readTensors(join(folder, 'model.safetensors')),
    words: ['F32', 'BF16', 'data_offsets', '__metadata__', '"shape":[', '{', '}'],
  },
  {
    name: 'safetensors-shards',
    samples: () => [
      folderSample('old-runs/saved', [
        'model.safetensors.index.json',
        'model-00001-of-00002.safetensors',
      ]),
      folderSample('pytorch', ['pytorch_model.bin.index.json', 'shard-1.bin']),
    ],
    read: readTensors,
  },
  {
    name: 'pytorch',
    samples: pytorchSamples,
    read: (folder) => readTensors(join(folder, 'pytorch_model.bin')),
  },
  {
    name: 'gguf',
    samples: () =>
      samplesOf(
        ['llama', 'gpt2', 'bert', 'phi3', 'blocks', 'blocks'].map((name) => `gguf/${name}.gguf`),
        'model.gguf',
      ),
    read: (folder) => readGGUF(join(folder, 'model.gguf')),
  },
  {
    name: 'gguf-set',
    samples: () => [setSample(), { ...setSample(0xffff), refused: true }],
    read: (folder) => readGGUF(join(folder, 'bloom-00001-of-00003.gguf')),
  },
]
