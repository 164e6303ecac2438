// Reads the directory of an uncompressed ZIP archive, the container format of torch.save.
import type { FileHandle } from 'node:fs/promises'
import { HeedError } from '../../util/errors.ts'
import { formatBytes, quote } from '../files/file-error.ts'
import { readFully, shrunk } from '../files/open-file.ts'

export interface ZipEntry {
  readonly name: string
  /** Position of the first byte in the file. */
  readonly begin: number
  readonly bytes: number
  readonly crc: number
}

interface Directory {
  count: number
  begin: number
  bytes: number
}

/**
 * Reads the entries of an archive by name.
 * @throws HeedError for archives that are damaged, compressed or encrypted, or have overlapping entries
 */
export async function readZip(
  handle: FileHandle,
  size: number,
  path: string,
): Promise<Map<string, ZipEntry>> {
  const read = async (begin: number, bytes: number): Promise<DataView> => {
    if (begin < 0 || begin + bytes > size) damaged(path, 'a part of it is outside of the file')
    const data = new Uint8Array(bytes)
    if (!(await readFully(handle, data, begin))) throw shrunk(path)
    return new DataView(data.buffer)
  }
  const directory = await findDirectory(read, size, path)
  if (directory.bytes > MAX_DIRECTORY)
    damaged(path, `its directory states a size of ${formatBytes(directory.bytes)}`)
  const view = await read(directory.begin, directory.bytes)
  const stored = parseDirectory(view, directory.count, path)
  const entries: ZipEntry[] = []
  for (const { header, ...entry } of stored) {
    const local = await read(header, LOCAL_BYTES)
    if (local.getUint32(0, true) !== LOCAL)
      damaged(path, `${quote(entry.name)} is not at its stated position`)
    const begin = header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true)
    entries.push({ ...entry, begin })
  }
  checkLayout(entries, directory.begin, path)
  return new Map(entries.map((entry) => [entry.name, entry]))
}

type Read = (begin: number, bytes: number) => Promise<DataView>

/** Searches from the end of the file, because a comment may follow the directory. */
async function findDirectory(read: Read, size: number, path: string): Promise<Directory> {
  const tail = Math.min(size, END_BYTES + 0xffff)
  const view = await read(size - tail, tail)
  for (let at = tail - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END) continue
    if (at + END_BYTES + view.getUint16(at + 20, true) !== tail) continue
    const count = view.getUint16(at + 10, true)
    const bytes = view.getUint32(at + 12, true)
    const begin = view.getUint32(at + 16, true)
    if (count !== 0xffff && bytes !== MAX_32 && begin !== MAX_32) return { count, bytes, begin }
    return findDirectory64(read, size - tail + at, path)
  }
  return damaged(path, 'it has no directory (the file may be truncated)')
}

async function findDirectory64(read: Read, end: number, path: string): Promise<Directory> {
  const locator = await read(end - LOCATOR_64_BYTES, LOCATOR_64_BYTES)
  if (locator.getUint32(0, true) !== LOCATOR_64) damaged(path, 'its directory is not found')
  const view = await read(uint64(locator, 8), END_64_BYTES)
  if (view.getUint32(0, true) !== END_64) damaged(path, 'its directory is not found')
  return { count: uint64(view, 32), bytes: uint64(view, 40), begin: uint64(view, 48) }
}

interface StoredEntry extends Omit<ZipEntry, 'begin'> {
  /** Position of the local header. */
  header: number
}

function parseDirectory(view: DataView, count: number, path: string): StoredEntry[] {
  const entries: StoredEntry[] = []
  const names = new Set<string>()
  let at = 0
  while (at + DIRECTORY_BYTES <= view.byteLength) {
    if (view.getUint32(at, true) !== DIRECTORY) damaged(path, 'its directory has an unknown record')
    const nameBytes = view.getUint16(at + 28, true)
    const extraBytes = view.getUint16(at + 30, true)
    const next = at + DIRECTORY_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true)
    if (next > view.byteLength) damaged(path, 'its directory ends within a record')
    const nameAt = view.byteOffset + at + DIRECTORY_BYTES
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, nameAt, nameBytes))
    if (names.has(name)) damaged(path, `${quote(name)} appears twice`)
    if (view.getUint16(at + 8, true) & ENCRYPTED) unsupported(path, `${quote(name)} is encrypted`)
    if (view.getUint16(at + 10, true) !== 0) unsupported(path, `${quote(name)} is compressed`)
    const wide = wideFields(view, at + DIRECTORY_BYTES + nameBytes, extraBytes)
    // The 64-bit values are in this order, for the fields that do not fit in 32 bits.
    const [bytes, packed, header] = [24, 20, 42].map((field) => {
      const value = view.getUint32(at + field, true)
      return value === MAX_32
        ? (wide.shift() ?? damaged(path, `${quote(name)} has no size`))
        : value
    })
    if (packed !== bytes) damaged(path, `${quote(name)} has two different sizes`)
    names.add(name)
    entries.push({ name, bytes, header, crc: view.getUint32(at + 16, true) })
    at = next
  }
  if (entries.length !== count)
    damaged(path, `it states ${count} entries but has ${entries.length}`)
  return entries
}

/** The 64-bit numbers of an entry. */
function wideFields(view: DataView, begin: number, bytes: number): number[] {
  for (let at = begin; at + 4 <= begin + bytes; ) {
    const [kind, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
    const count = Math.floor(Math.min(length, begin + bytes - at - 4) / 8)
    if (kind === 1) return Array.from({ length: count }, (_, i) => uint64(view, at + 4 + 8 * i))
    at += 4 + length
  }
  return []
}

function checkLayout(entries: readonly ZipEntry[], limit: number, path: string): void {
  let end = 0
  for (const { name, begin, bytes } of [...entries].sort((a, b) => a.begin - b.begin)) {
    if (begin < end) damaged(path, `${quote(name)} overlaps the previous entry`)
    end = begin + bytes
    if (end > limit) damaged(path, `${quote(name)} is larger than the file allows`)
  }
}

/** Values above 2^53 are rounded, but no file is that large. */
const uint64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true))

function damaged(path: string, problem: string): never {
  throw new HeedError('corrupt-file', `${path} must be a PyTorch archive (ZIP), but ${problem}`, {
    value: path,
    remedy: 'Download or save it again.',
  })
}

function unsupported(path: string, problem: string): never {
  throw new HeedError(
    'unsupported',
    `${path} must be an archive written by torch.save, but ${problem}`,
    { value: path, remedy: 'Save it again with torch.save.' },
  )
}

const LOCAL = 0x04034b50
const LOCAL_BYTES = 30
const DIRECTORY = 0x02014b50
const DIRECTORY_BYTES = 46
const END = 0x06054b50
const END_BYTES = 22
const END_64 = 0x06064b50
const END_64_BYTES = 56
const LOCATOR_64 = 0x07064b50
const LOCATOR_64_BYTES = 20
const MAX_32 = 0xffffffff
const ENCRYPTED = 1
const MAX_DIRECTORY = 256e6
