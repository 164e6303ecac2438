// Prepares the examples of a run. Small data is encoded in memory. Large data is encoded by threads into a file, which
// later runs on the same data reuse.
import { createHash } from 'node:crypto'
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
import { filesBelow } from '../../io/files/files-below.ts'
import { remove } from '../../io/files/patience.ts'
import { HeedError } from '../../util/errors.ts'
import { importedModules } from '../../util/imports.ts'
import { version } from '../../util/version.ts'
import { encodeRows, stopped, withoutExamples } from '../examples.ts'
import type { NewTask, PrepareSetup, RowEncoder, TaskContext, TaskData } from '../task.ts'
import type { EncodingSetup } from './encode-part.ts'
import { encodeParts, thisThread } from './parts.ts'
import { EncodingThreads, threadsFor } from './threads.ts'

/** An encoder of rows, with its task. */
export interface MadeEncoder<E = unknown> {
  kind: Pick<NewTask, 'name' | 'keepsExamples'>
  /** The task, or the `rowEncoder` of `kind`. */
  task: RowEncoder<E>
  context: TaskContext
}

export interface PreparedExamples<E = unknown> {
  examples: Examples<E>
  close?(): Promise<void>
}

/** Size in bytes (about a second of work) above which threads and a file save more time than they cost. */
const MANY = 4 << 20

/**
 * Encodes all rows of files.
 * @throws HeedError that lists up to 20 bad rows with file and row number
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
    // The examples do not depend on modelMaxLength, which differs in a resumed run.
    await context.preprocessor.save(folder, { modelMaxLength: 0 })
    const { options, facts, modelType, contextLength } = context
    const encoding = { task: kind.name, options, facts, modelType, contextLength, folder }
    const key = await keyOf(encoding, data, setup)
    const path = join(cacheDir, `${key.slice(0, 32)}.examples`)
    const kept = await openExamples<E>(path, key)
    if (!kept) await encodeFiles(path, key, data, task, encoding, setup)
    const examples = kept ?? (await openExamples<E>(path, key))
    if (!examples)
      throw new HeedError('corrupt-file', `${path} was damaged after it was written`, {
        remedy: 'Check the disk, or set HEED_CACHE to a folder on another disk.',
      })
    await tidyCache(cacheDir, path)
    return { examples, close: () => examples.close() }
  } finally {
    await remove(folder)
  }
}

/** A SHA-256 of everything that the examples depend on. */
async function keyOf(
  { folder, ...encoding }: EncodingSetup,
  { files, bytes, rowOptions }: DataFiles,
  { onProgress, signal }: PrepareSetup,
): Promise<string> {
  const data = await hashFiles(files, (done) => {
    if (signal?.aborted) throw stopped()
    onProgress?.('Checking data', done, bytes)
  })
  const saved = await filesBelow(folder)
  const preprocessor = await hashFiles(saved.map((name) => join(folder, name)))
  const imported = importedModules().map(({ url }) => fileURLToPath(url))
  const imports = imported.length > 0 ? await hashFiles(imported) : undefined
  const all = { heed: version, data, preprocessor, rowOptions, imports, ...encoding }
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

async function encodeFiles(
  path: string,
  key: string,
  data: DataFiles,
  task: RowEncoder,
  encoding: EncodingSetup,
  { onProgress, signal }: PrepareSetup,
): Promise<void> {
  let read = 0
  const onRows = (rows: number): void => {
    read = rows
    onProgress?.('Encoding rows', rows)
  }
  const threads = await EncodingThreads.start(encoding, threadsFor(data.bytes))
  async function* packedParts(): AsyncGenerator<PackedExamples> {
    let examples = 0
    const options = { onRows, signal }
    for await (const part of encodeParts(data.source, threads ?? thisThread(task), options)) {
      examples += part.sizes.length
      yield part
    }
    if (examples === 0) throw withoutExamples(task, read)
    if ((await stateOfFiles(data.files)).mark !== data.mark)
      throw new HeedError('invalid-data', `${data.files.join(', ')} changed while being read`, {
        remedy: 'Run again when no program writes to the data.',
      })
  }
  try {
    await writeExamples(path, key, packedParts())
  } finally {
    await threads?.stop()
  }
}
