// Builds the files of torch.save by hand, also those that it never writes.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Crc32 } from '../../src/io/files/crc32.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface ArchiveEntry {
  name: string
  data: Uint8Array
  /** Changes of the record in the directory, by the place of a field: 10 is the method, 24 the size. */
  record?: Record<number, number>
}

/** A ZIP archive that stores its entries, with the bytes in front of the directory unchanged. */
export function zip(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = []
  const records: Buffer[] = []
  let at = 0
  for (const { name, data, record = {} } of entries) {
    const crc = new Crc32()
    crc.update(data)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    entry.writeUInt32LE(crc.value, 16)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(data.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(at, 42)
    for (const [place, value] of Object.entries(record))
      if (Number(place) < 16) entry.writeUInt16LE(value, Number(place))
      else entry.writeUInt32LE(value, Number(place))
    parts.push(local, Buffer.from(name), Buffer.from(data))
    records.push(entry, Buffer.from(name))
    at += 30 + name.length + data.length
  }
  const directory = Buffer.concat(records)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, directory, end])
}

/** A state dict with this pickle and one storage of four float32 numbers. */
export const archiveWith = (pickle: Uint8Array): ArchiveEntry[] => [
  { name: 'archive/data.pkl', data: pickle },
  { name: 'archive/data/0', data: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
]

/** Writes bytes to a file of their own. */
export async function written(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'pytorch_model.bin')
  await writeFile(path, bytes)
  return path
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

/** Instructions of a pickle. */
export const op = {
  text: (text: string): Buffer =>
    Buffer.concat([Buffer.from('X'), u32(Buffer.byteLength(text)), Buffer.from(text)]),
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  int: (value: number): Buffer => Buffer.concat([Buffer.from('J'), u32(value)]),
  tuple: (...items: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]),
  call: (target: Buffer, args: Buffer): Buffer => Buffer.concat([target, args, Buffer.from('R')]),
  dict: (...pairs: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from('}('), ...pairs, Buffer.from('u')]),
}

/** A whole pickle of protocol 2. */
export const pickle = (...parts: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([0x80, 2]), ...parts, Buffer.from('.')])

/** A storage of `size` numbers. */
export const storage = (size = 4, type = 'FloatStorage', key = '0'): Buffer =>
  Buffer.concat([
    op.tuple(
      op.text('storage'),
      op.global('torch', type),
      op.text(key),
      op.text('cpu'),
      op.int(size),
    ),
    Buffer.from('Q'),
  ])

export interface TensorParts {
  storage?: Buffer
  offset?: number
  shape?: number[]
  strides?: number[]
}

/** A tensor. */
export const tensorCall = ({
  storage: from = storage(),
  offset = 0,
  shape = [4],
  strides = [1],
}: TensorParts = {}): Buffer =>
  op.call(
    op.global('torch._utils', '_rebuild_tensor_v2'),
    op.tuple(
      from,
      op.int(offset),
      op.tuple(...shape.map(op.int)),
      op.tuple(...strides.map(op.int)),
      Buffer.from([0x89]),
      op.call(op.global('collections', 'OrderedDict'), Buffer.from(')')),
    ),
  )
