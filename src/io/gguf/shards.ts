// A GGUF model is one file or a set of shards `NAME-00001-of-00003.gguf` … The first shard has the metadata.
import { type FileHandle, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { fileError, quote } from '../files/file-error.ts'
import { openForReading, readFully, shrunk } from '../files/open-file.ts'
import { NeedMoreBytes } from './cursor.ts'
import { type GGUFHeader, parseHeader } from './header.ts'

/** One file of a model. */
export interface GGUFShard {
  readonly path: string
  readonly handle: FileHandle
  readonly header: GGUFHeader
}

/**
 * Opens a file, and the others of a set if it is the first one.
 * @throws HeedError if it is another file of a set, or if files of the set are missing
 */
export async function openShards(path: string): Promise<GGUFShard[]> {
  const shards = [await openShard(path)]
  try {
    const [{ header }] = shards
    const count = header.metadata.number('split.count', 1)
    if (count <= 1) return shards
    const paths = await pathsOfSet(path, count, header.metadata.number('split.no', 0))
    for (const other of paths.slice(1)) shards.push(await openShard(other))
    checkSet(shards, count)
    return shards
  } catch (error) {
    await closeShards(shards)
    throw error
  }
}

/** Closes all files of a set. */
export async function closeShards(shards: readonly GGUFShard[]): Promise<void> {
  for (const { handle } of shards) await handle.close()
}

async function openShard(path: string): Promise<GGUFShard> {
  const { handle, size } = await openForReading(path)
  try {
    return { path, handle, header: await readHeader(handle, size, path) }
  } catch (error) {
    await handle.close()
    throw fileError(error, 'read', path)
  }
}

/** The length of the header is unknown, so each attempt reads four times as many bytes. */
async function readHeader(handle: FileHandle, size: number, path: string): Promise<GGUFHeader> {
  for (let length = Math.min(size, FIRST_READ); ; length = Math.min(size, 4 * length)) {
    const bytes = new Uint8Array(length)
    if (!(await readFully(handle, bytes, 0))) throw shrunk(path)
    try {
      return parseHeader(bytes, size, path)
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error
    }
  }
}

/** Derives the names of all files from the first one. */
async function pathsOfSet(path: string, count: number, number: number): Promise<string[]> {
  const [, start, digits, end] = NAME.exec(basename(path)) ?? []
  const pathOf = (index: number): string =>
    join(dirname(path), `${start}${String(index + 1).padStart(5, '0')}${end}`)
  if (number !== 0) throw notFirst(path, count, number, start === undefined ? null : pathOf(0))
  if (Number(digits) !== 1 || !(count <= MOST_FILES))
    throw new HeedError(
      'invalid-option',
      `The first of ${count} GGUF files of a set must be named like model-00001-of-00002.gguf, got ${path}`,
      { value: path, remedy: 'Rename all files of the set to their original names.' },
    )
  const paths = Array.from({ length: count }, (_, i) => (i === 0 ? path : pathOf(i)))
  const there = new Set(await readdir(dirname(path))) // the count is untrusted and may be thousands
  const missing = paths.map((each) => basename(each)).filter((name) => !there.has(name))
  if (missing.length === 0) return paths
  throw new HeedError(
    'missing-file',
    `${path} must be in a folder with all ${count} files of its set, got ${count - missing.length}. Missing: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' …' : ''}`,
    { value: path, remedy: 'Download the missing files into the same folder.' },
  )
}

function notFirst(path: string, count: number, number: number, first: string | null): HeedError {
  return new HeedError(
    'invalid-option',
    `${path} must be the first file of its set, got part ${number + 1} of ${count}`,
    {
      value: path,
      remedy: `Use ${first ?? 'the file with -00001-of- in its name'}. It opens the others.`,
    },
  )
}

function checkSet(shards: readonly GGUFShard[], count: number): void {
  const names = new Set<string>()
  for (const [i, { path, header }] of shards.entries()) {
    const { metadata, tensors } = header
    const [no, of] = [metadata.number('split.no', -1), metadata.number('split.count', 1)]
    if (of !== count || (i > 0 && no !== i))
      throw damaged(path, `part ${i + 1} of a set of ${count}`, `part ${no + 1} of ${of}`)
    for (const name of tensors.keys()) {
      if (names.has(name))
        throw damaged(path, 'without tensors of other files of its set', quote(name))
      names.add(name)
    }
  }
  const total = shards[0].header.metadata.number('split.tensors.count', names.size)
  if (names.size !== total)
    throw damaged(shards[0].path, `the first of files with ${total} tensors`, `${names.size}`)
}

const damaged = (path: string, expected: string, got: string): HeedError =>
  new HeedError('corrupt-file', `${path} must be ${expected}, got ${got}`, {
    value: path,
    remedy: 'Download all files of the set again.',
  })

const NAME = /^(.*-)(\d{5})(-of-\d{5}(?:\..*)?)$/
const MOST_FILES = 99_999
const FIRST_READ = 1 << 20
