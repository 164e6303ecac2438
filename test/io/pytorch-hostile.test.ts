// Pickles and archives that no state dict needs: each is one clear error, nothing is run, and nothing takes long.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPyTorchFile } from '../../src/io/pytorch/file.ts'
import { HeedError } from '../../src/util/errors.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import {
  type ArchiveEntry,
  archiveWith,
  op,
  pickle,
  storage,
  tensorCall,
  written,
  zip,
} from './pytorch-archive.ts'

async function readAll(path: string): Promise<void> {
  const file = await openPyTorchFile(path)
  try {
    for (const name of file.names) await file.read(name)
  } finally {
    await file.close()
  }
}

/** What is said of an archive; it must be closed and quick. */
async function errorOf(entries: readonly ArchiveEntry[] | Uint8Array): Promise<HeedError> {
  const path = await written(entries instanceof Uint8Array ? entries : zip(entries))
  const started = performance.now()
  try {
    await readAll(path)
  } catch (error) {
    expect(error).toBeInstanceOf(HeedError)
    expect(performance.now() - started).toBeLessThan(5000)
    return error as HeedError
  }
  throw new Error('It was opened')
}

const ofPickle = (...parts: Buffer[]): Promise<HeedError> => errorOf(archiveWith(pickle(...parts)))
const ofTensor = (parts: Parameters<typeof tensorCall>[0]): Promise<HeedError> =>
  ofPickle(op.dict(op.text('w'), tensorCall(parts)))

describe('a pickle', () => {
  const globals = [
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'exec'],
    ['subprocess', 'Popen'],
    ['torch', 'load'],
    ['torch', 'constructor'],
    ['torch', '__proto__'],
    ['torch._utils', '_rebuild_tensor'],
    ['torch._utils', '_rebuild_tensor_v2.__globals__'],
    ['collections', 'OrderedDict.fromkeys'],
    ['numpy.core.multiarray', '_reconstruct'],
  ]
  it.each(globals)('is refused for %s.%s, by that name', async (module, name) => {
    const error = await ofPickle(op.call(op.global(module, name), op.tuple(op.text('id'))))
    expect(error).toMatchObject({ code: 'unsupported', details: { key: `${module}.${name}` } })
    const stacked = await ofPickle(op.text(module), op.text(name), Buffer.from([0x93]))
    expect(stacked.details.key).toBe(`${module}.${name}`)
  })

  const broken: [string, Buffer[]][] = [
    ['instructions that state dicts do not have', [Buffer.from('i')]],
    ['objects of classes (NEWOBJ)', [op.text('a'), Buffer.from([0x29, 0x81])]],
    ['a text longer than itself', [Buffer.from('X\xff\xff\xff\x7fabc', 'latin1')]],
    ['a text of 2^63 bytes', [Buffer.from([0x8d, 255, 255, 255, 255, 255, 255, 255, 127])]],
    ['a name without end', [Buffer.from('ctorch')]],
    ['a mark that is missing', [Buffer.from('t')]],
    ['nothing', []],
    ['a kept value that is missing', [Buffer.from([0x68, 7])]],
    ['a number of 2000 bits', [Buffer.from([0x8a, 250, ...new Array(250).fill(1)])]],
    ['a number of 64 bits', [Buffer.from([0x8a, 8, 255, 255, 255, 255, 255, 255, 255, 127])]],
    ['another object', [op.text('a')]],
    ['items of a text', [op.text('a'), op.text('b'), op.text('c'), Buffer.from('s')]],
    ['a key without a value', [Buffer.from('}('), op.text('a'), Buffer.from('u')]],
    ['a call of a text', [op.call(op.text('a'), op.tuple())]],
    ['a call without a tuple', [op.call(op.global('collections', 'OrderedDict'), op.text('a'))]],
    ['a state of a text', [op.text('a'), Buffer.from('}b')]],
    ['values that are no tensors', [op.dict(op.text('epoch'), op.int(3))]],
    ['keys that are no texts', [op.dict(op.int(3), tensorCall())]],
    ['a storage of another kind', [op.dict(op.text('w'), tensorCall({ storage: op.tuple() }))]],
    ['a global without a name', [Buffer.from(']]'), Buffer.from([0x93])]],
  ]
  it.each(broken)('with %s is refused', async (_, parts) => {
    const error = await ofPickle(...parts)
    expect(error.code).toBe('corrupt-file')
    expect(error.remedy).toMatch(/state dict/)
  })

  it('may contain itself, or be nested without end, and is then refused as another object', async () => {
    const cycle = Buffer.from('}q\x00X\x01\x00\x00\x00ah\x00s', 'latin1')
    expect((await ofPickle(cycle)).message).toMatch(/"a".*dictionary/)
    const list = Buffer.from(']q\x00h\x00a', 'latin1')
    expect((await ofPickle(list)).message).toMatch(/another object/)
    const deep = Buffer.concat([Buffer.alloc(100_000, ']'), Buffer.alloc(99_999, 'a')])
    expect((await ofPickle(deep)).message).toMatch(/another object/)
    const deepName = Buffer.concat([deep, deep, Buffer.from([0x93])])
    expect((await ofPickle(deepName)).message).toMatch(/\bglobal\b/)
  })

  it('cannot fill the memory with dictionaries of one long list', async () => {
    const pair = op.tuple(op.text('a'), op.int(1))
    const list = [Buffer.from(']q\x00(', 'latin1'), ...Array(2000).fill(pair), Buffer.from('e')]
    const made = op.call(
      op.global('collections', 'OrderedDict'),
      Buffer.from('h\x00\x85', 'latin1'),
    )
    const calls = Buffer.concat(Array(100_000).fill(made))
    expect((await ofPickle(...list, calls)).message).toMatch(/\b1000000 objects/)
  })

  it('cannot fill the memory with objects of one byte', async () => {
    expect((await ofPickle(Buffer.alloc(3_000_000, '}'))).message).toMatch(/\b1000000 objects/)
  })
})

describe('a tensor', () => {
  const huge = 0x7fffffff
  const wrong: [string, Parameters<typeof tensorCall>[0]][] = [
    ['larger than its storage', { shape: [5] }],
    ['beyond the end', { offset: 1 }],
    ['with huge strides', { shape: [2], strides: [huge] }],
    ['with as many elements as fit in no memory', { shape: [huge, huge], strides: [0, 0] }],
    ['of negative size', { shape: [-4] }],
    ['with negative strides', { shape: [2], strides: [-1] }],
    ['with strides of other axes', { shape: [2, 2], strides: [1] }],
    ['of a storage that claims more than there is', { storage: storage(huge), shape: [huge] }],
    ['of a storage that is missing', { storage: storage(4, 'FloatStorage', '7') }],
    ['of a storage outside', { storage: storage(4, 'FloatStorage', '../data.pkl') }],
  ]
  it.each(wrong)('%s is refused', async (_, parts) => {
    expect((await ofTensor(parts)).code).toBe('corrupt-file')
  })

  it('of an unknown type of storage is refused by its name', async () => {
    const error = await ofTensor({ storage: storage(4, 'QInt8Storage') })
    expect(error).toMatchObject({ code: 'unsupported', details: { key: 'torch.QInt8Storage' } })
  })
})

describe('an archive', () => {
  const good = (): ArchiveEntry[] => archiveWith(pickle(op.dict(op.text('w'), tensorCall())))
  const changed = (record: Record<number, number>): ArchiveEntry[] => {
    const [first, second] = good()
    return [first, { ...second, record }]
  }
  const wrong: [string, ArchiveEntry[], RegExp][] = [
    ['compressed', changed({ 10: 8 }), /\bcompressed/],
    ['encrypted', changed({ 8: 1 }), /\bencrypted/],
    ['with two sizes', changed({ 20: 4 }), /\bsizes/],
    ['with an entry beyond its end', changed({ 20: 4000, 24: 4000 }), /\blarger/],
    ['with an entry elsewhere', changed({ 42: 3 }), /\bposition/],
    ['with an entry outside of the file', changed({ 42: 0xfffffff0 }), /\boutside/],
    ['with a size that is missing', changed({ 24: 0xffffffff }), /\bsize\b/],
    ['with entries in one place', changed({ 42: 0, 20: 60, 24: 60 }), /overlaps|larger/],
    ['with a name twice', [...good(), good()[0]], /\btwice/],
    ['without a pickle', good().slice(1), /data\.pkl/],
    ['with another checksum', changed({ 16: 7 }), /checksum/],
    [
      'with another checksum of its pickle',
      [{ ...good()[0], record: { 16: 7 } }, good()[1]],
      /checksum/,
    ],
    [
      'of the other byte order',
      [...good(), { name: 'archive/byteorder', data: Buffer.from('big') }],
      /byte order/,
    ],
  ]
  it.each(wrong)('%s is refused', async (_, entries, message) => {
    expect((await errorOf(entries)).message).toMatch(message)
  })

  it('that is cut anywhere, or has one other byte, is an error or what it was', async () => {
    const bytes = await readFile(join(FIXTURES, 'pytorch', 'protocol4.bin'))
    for (let length = 0; length < bytes.length; length += 23) {
      expect(await errorOf(bytes.subarray(0, length))).toBeInstanceOf(HeedError)
    }
    for (let at = 0; at < bytes.length; at += 11) {
      const other = Buffer.from(bytes)
      other[at] ^= 0x55
      const path = await written(other)
      try {
        await readAll(path)
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(HeedError)
      }
    }
  })
})
