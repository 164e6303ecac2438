// The examples of a run: few are made at once and held; many are made by threads, once, and kept in a
// file that later runs find again by what it was made of.
import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Examples,
  hashFiles,
  openExamples,
  type PackedExamples,
  type RowOptions,
  type RowSource,
  stateOfFiles,
  writeExamples,
} from '../../data/index.ts'
import { temporaryPath } from '../../io/files/atomic.ts'
import { tidyCache } from '../../io/files/cache.ts'
import { ensureDir } from '../../io/files/ensure-dir.ts'
import { HeedError } from '../../util/errors.ts'
import { importedModules } from '../../util/imports.ts'
import { version } from '../../util/version.ts'
import { encodeRows, stopped, withoutExamples } from '../examples.ts'
import type { BatchSetup, NewTask, RowEncoder, TaskContext, TaskData } from '../task.ts'
import type { EncodingSetup } from './encode-part.ts'
import { encodeParts, thisThread } from './parts.ts'
import { EncodingThreads, threadsFor } from './threads.ts'

/** What encodes rows, and what it has been made of. */
export interface MadeEncoder<E = unknown> {
  kind: Pick<NewTask, 'name' | 'keepsExamples'>
  /** The task, or the `rowEncoder` of `kind`. */
  task: RowEncoder<E>
  context: TaskContext
}

type PrepareSetup = Pick<BatchSetup, 'cacheDir' | 'onProgress' | 'signal'>

export interface PreparedExamples<E = unknown> {
  examples: Examples<E>
  close?(): Promise<void>
}

/** Bytes of data from which on threads and a file gain more time than they cost: a second of work. */
const MANY = 4 << 20

/**
 * The examples of all rows of files.
 * @throws HeedError that lists the rows which are wrong with file and number, up to twenty of them
 */
export async function prepareExamples<E>(
  data: TaskData,
  made: MadeEncoder<E>,
  setup: PrepareSetup,
): Promise<PreparedExamples<E>> {
  const source = await data.source()
  const files = made.kind.keepsExamples === false ? undefined : source.files
  const state = files && (await stateOfFiles(files))
  if (files && state && state.bytes >= MANY)
    return storedExamples({ source, rowOptions: data.rowOptions, files, ...state }, made, setup)
  const { onProgress, signal } = setup
  const onRows = (rows: number): void => onProgress?.('Encoding rows', rows)
  return { examples: await encodeRows(made.task, source, { onRows, signal }) }
}

interface DataFiles {
  source: RowSource
  rowOptions: RowOptions | undefined
  files: readonly string[]
  bytes: number
  mark: string
}

async function storedExamples<E>(
  data: DataFiles,
  { kind, task, context }: MadeEncoder<E>,
  setup: PrepareSetup,
): Promise<PreparedExamples<E>> {
  const { cacheDir } = setup
  await ensureDir(cacheDir)
  const folder = temporaryPath(join(cacheDir, 'preprocessor'))
  try {
    // What the model sees bears on nothing here, and a run that goes on has noted it in between.
    await context.preprocessor.save(folder, { modelMaxLength: 0 })
    const { options, facts, modelType, contextLength } = context
    const own = { task: kind.name, options, facts, modelType, contextLength, folder }
    const key = await keyOf(own, data, setup)
    const path = join(cacheDir, `${key.slice(0, 32)}.examples`)
    const kept = await openExamples<E>(path, key)
    if (!kept) await encodeFiles(path, key, data, task, own, setup)
    const examples = kept ?? (await openExamples<E>(path, key))
    if (!examples)
      throw new HeedError('invalid-option', `${path} was damaged as soon as it had been written`)
    await tidyCache(cacheDir, path)
    return { examples, close: () => examples.close() }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** All that examples depend on, in 64 digits. */
async function keyOf(
  { folder, ...own }: EncodingSetup,
  { files, bytes, rowOptions }: DataFiles,
  { onProgress, signal }: PrepareSetup,
): Promise<string> {
  const data = await hashFiles(files, (done) => {
    if (signal?.aborted) throw stopped()
    onProgress?.('Checking data', done, bytes)
  })
  const preprocessor = await hashFiles(await filesBelow(folder))
  const imported = importedModules().map(({ url }) => fileURLToPath(url))
  const imports = imported.length > 0 ? await hashFiles(imported) : undefined
  const all = { heed: version, data, preprocessor, rowOptions, imports, ...own }
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

async function encodeFiles(
  path: string,
  key: string,
  data: DataFiles,
  task: RowEncoder,
  own: EncodingSetup,
  { onProgress, signal }: PrepareSetup,
): Promise<void> {
  let read = 0
  const onRows = (rows: number): void => {
    read = rows
    onProgress?.('Encoding rows', rows)
  }
  const threads = await EncodingThreads.start(own, threadsFor(data.bytes))
  async function* parts(): AsyncGenerator<PackedExamples> {
    let examples = 0
    const options = { onRows, signal }
    for await (const part of encodeParts(data.source, threads ?? thisThread(task), options)) {
      examples += part.sizes.length
      yield part
    }
    if (examples === 0) throw withoutExamples(task, read)
    if ((await stateOfFiles(data.files)).mark !== data.mark)
      throw new HeedError('invalid-option', `${data.files.join(', ')}: changed while it was read`, {
        remedy: 'Wait until nobody writes to it any more, and run it again.',
      })
  }
  try {
    await writeExamples(path, key, parts())
  } finally {
    await threads?.stop()
  }
}

/** In the order of their paths. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()
}
