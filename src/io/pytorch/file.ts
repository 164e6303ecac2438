// The file format of torch.save since PyTorch 1.6: a ZIP archive with a pickle and the data of each storage.
import type { FileHandle } from 'node:fs/promises'
import { HeedError } from '../../util/errors.ts'
import { Crc32 } from '../files/crc32.ts'
import { fileError, formatBytes, quote } from '../files/file-error.ts'
import { openForReading, readFully, shrunk } from '../files/open-file.ts'
import { type Safetensors, TensorFile } from '../safetensors/file.ts'
import type { TensorEntry } from '../safetensors/header.ts'
import { bitsOf } from '../safetensors/stored-dtype.ts'
import { readStateDict, type StridedTensor } from './state-dict.ts'
import { readZip, type ZipEntry } from './zip.ts'

/**
 * Opens a state dict written by torch.save (`pytorch_model.bin`). Its pickle is parsed but never run.
 * @throws HeedError for the format before PyTorch 1.6, for damaged files, and for pickles of other objects
 */
export async function openPyTorchFile(path: string): Promise<Safetensors> {
  const { handle, size } = await openForReading(path)
  try {
    await refuseOldFormat(handle, size, path)
    const entries = await readZip(handle, size, path)
    const [name, pickle] = [...entries].find(([name]) => /^[^/]+\/data\.pkl$/.test(name)) ?? []
    if (name === undefined || pickle === undefined) throw damaged(path, 'has no data.pkl')
    const folder = name.slice(0, -'data.pkl'.length)
    await checkByteOrder(handle, entries.get(`${folder}byteorder`), path)
    if (pickle.bytes > MAX_PICKLE)
      throw damaged(path, `has a data.pkl of ${formatBytes(pickle.bytes)}`)
    const bytes = await readEntry(handle, pickle, path)
    const tensors = [...readStateDict(bytes, path)].map(([key, tensor]): [string, TensorEntry] => {
      const storage = entries.get(`${folder}data/${tensor.storage.key}`)
      return [key, entryOf(key, tensor, storage, path)]
    })
    return new TensorFile(path, handle, 0, { entries: new Map(tensors), metadata: {} })
  } catch (error) {
    await handle.close()
    throw fileError(error, 'read', path)
  }
}

/** A pickle of the magic number at the start of older files. */
const OLD_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]

async function refuseOldFormat(handle: FileHandle, size: number, path: string): Promise<void> {
  const head = new Uint8Array(Math.min(size, OLD_MAGIC.length))
  if (!(await readFully(handle, head, 0))) throw shrunk(path)
  if (head.length < OLD_MAGIC.length || OLD_MAGIC.some((byte, i) => head[i] !== byte)) return
  throw new HeedError(
    'unsupported',
    `${path} must have the format of PyTorch 1.6 or newer (a ZIP archive), got an older format`,
    {
      value: path,
      remedy: 'Save it again in Python: torch.save(torch.load(path, weights_only=True), path).',
    },
  )
}

async function checkByteOrder(
  handle: FileHandle,
  entry: ZipEntry | undefined,
  path: string,
): Promise<void> {
  if (!entry || entry.bytes > 16) return
  const order = new TextDecoder().decode(await readEntry(handle, entry, path))
  if (order !== 'little')
    throw new HeedError(
      'unsupported',
      `The byte order of ${path} must be "little", got ${quote(order)}`,
      {
        value: order,
        remedy: 'Save it again on a little-endian machine, or as safetensors.',
      },
    )
}

async function readEntry(handle: FileHandle, entry: ZipEntry, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.bytes)
  if (!(await readFully(handle, bytes, entry.begin))) throw shrunk(path)
  const crc = new Crc32()
  crc.update(bytes)
  if (crc.value !== entry.crc) throw damaged(path, `has a wrong checksum in ${quote(entry.name)}`)
  return bytes
}

function entryOf(
  name: string,
  { storage, offset, shape, strides }: StridedTensor,
  entry: ZipEntry | undefined,
  path: string,
): TensorEntry {
  const bytesEach = bitsOf(storage.dtype) / 8
  const needed = storage.size * bytesEach
  if (!entry)
    throw damaged(path, `lacks the storage ${quote(storage.key)} of tensor ${quote(name)}`)
  if (entry.bytes < needed)
    throw damaged(
      path,
      `has ${entry.bytes} bytes in ${quote(entry.name)}, where ${needed} are needed`,
    )
  const bytes = shape.reduce((product, size) => product * size, bytesEach)
  const info = { name, dtype: storage.dtype, shape, bytes }
  const begin = entry.begin + offset * bytesEach
  const checked = { begin: entry.begin, bytes: entry.bytes, crc: entry.crc }
  return isContiguous(shape, strides)
    ? { ...info, begin, checked }
    : { ...info, begin, checked, strides }
}

/** Whether elements are stored in row-major order without gaps. Axes of size 1 may have any stride. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return shape.includes(0)
    expected *= shape[axis]
  }
  return true
}

function damaged(path: string, problem: string): HeedError {
  return new HeedError('corrupt-file', `${path} must be a PyTorch state dict, but it ${problem}`, {
    value: path,
    remedy: 'Download or save it again.',
  })
}

const MAX_PICKLE = 32e6
