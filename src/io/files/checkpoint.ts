import { copyFile, link, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { removeStaleTemporaries, syncFile, syncFolder, temporaryPath } from './atomic.ts'
import { ensureDir } from './ensure-dir.ts'
import { fileError, quote } from './file-error.ts'
import { isJsonObject, readJsonObject } from './json.ts'

// RUN/                          a plain Hugging Face folder at every moment
//   config.json, tokenizer.json …
//   model.safetensors           hard link to the newest checkpoint's file
//   checkpoints/
//     step-000200/              complete, or it would not have this name
//       model.safetensors, optimizer.safetensors, trainer_state.json …
//       checkpoint.json         { step, sequence, files: { name: bytes } }
//     .step-000300.….tmp/       being written or being removed; ignored
//
// The files of a checkpoint become visible in one rename of their folder, so that a killed process leaves the old set
// or the new one, never a mixture. The list with sizes finds folders that were damaged by something else, such as an
// interrupted copy.

/** The content, or a function that writes the file at the given path. */
export type CheckpointFile = string | Uint8Array | ((path: string) => Promise<void>)

export interface SaveCheckpointOptions {
  /** Number of checkpoints to keep, including the new one. Default 2. */
  keep?: number
  /** Files that also appear in the run folder itself. Default `['model.safetensors']`. */
  publish?: readonly string[]
}

export interface Checkpoint {
  /** The folder with the files. */
  path: string
  step: number
  /** Path of each file by name. */
  files: Readonly<Record<string, string>>
}

/** Saves a consistent set of files, which is on the disk when the promise resolves. */
export async function saveCheckpoint(
  runDir: string,
  step: number,
  files: Readonly<Record<string, CheckpointFile>>,
  options: SaveCheckpointOptions = {},
): Promise<Checkpoint> {
  const { keep = 2, publish = ['model.safetensors'] } = options
  checkArguments(step, files, keep)
  const root = join(runDir, 'checkpoints')
  try {
    await ensureDir(root)
    await removeStaleTemporaries(root)
    await removeStaleTemporaries(runDir)
    const previous = await listCheckpoints(root)
    const sequence = 1 + Math.max(0, ...previous.map((c) => c.sequence))
    const path = await writeFolder(root, step, sequence, files)
    for (const name of publish)
      if (Object.hasOwn(files, name)) await publishFile(path, runDir, name)
    await prune(previous, keep - 1)
    return { path, step, files: pathsOf(path, Object.keys(files)) }
  } catch (error) {
    throw fileError(error, 'save a checkpoint in', runDir)
  }
}

/**
 * The newest checkpoint, or undefined if the run has none. Damaged ones are skipped.
 * @throws HeedError if all are damaged
 */
export async function latestCheckpoint(runDir: string): Promise<Checkpoint | undefined> {
  const saved = await listCheckpoints(join(runDir, 'checkpoints'))
  const newest = saved.filter((c) => c.damage === undefined).at(-1)
  if (newest)
    return { path: newest.path, step: newest.step, files: pathsOf(newest.path, newest.names) }
  const damaged = saved.at(-1)
  if (damaged === undefined) return undefined
  throw new HeedError(
    'corrupt-file',
    `A checkpoint in ${runDir} must be complete, got only damaged ones. ${damaged.path}: ${damaged.damage}`,
    {
      value: damaged.path,
      remedy: 'Copy the run folder again, or start a new run in another folder.',
    },
  )
}

interface SavedCheckpoint {
  path: string
  step: number
  sequence: number
  names: string[]
  damage?: string
}

const MANIFEST = 'checkpoint.json'

async function writeFolder(
  root: string,
  step: number,
  sequence: number,
  files: Readonly<Record<string, CheckpointFile>>,
): Promise<string> {
  const path = await freePath(root, `step-${String(step).padStart(6, '0')}`)
  const temporary = temporaryPath(path)
  try {
    await mkdir(temporary)
    const sizes: Record<string, number> = {}
    for (const [name, content] of Object.entries(files)) {
      const file = join(temporary, name)
      if (typeof content === 'function') await content(file)
      else await writeFile(file, content)
      await syncFile(file)
      sizes[name] = (await stat(file)).size
    }
    const manifest = join(temporary, MANIFEST)
    await writeFile(manifest, `${JSON.stringify({ step, sequence, files: sizes }, null, 2)}\n`)
    await syncFile(manifest)
    await syncFolder(temporary)
    await rename(temporary, path)
    await syncFolder(root)
    return path
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

// A run that resumed from an older checkpoint reaches the same step again. Replacing a folder takes two renames, with a
// moment without either folder between them; therefore the newer one gets another name.
async function freePath(root: string, name: string): Promise<string> {
  const taken = new Set(await readdir(root))
  if (!taken.has(name)) return join(root, name)
  let number = 2
  while (taken.has(`${name}.${number}`)) number++
  return join(root, `${name}.${number}`)
}

async function publishFile(folder: string, runDir: string, name: string): Promise<void> {
  const target = join(runDir, name)
  const temporary = temporaryPath(target)
  try {
    await link(join(folder, name), temporary).catch(async () => {
      await copyFile(join(folder, name), temporary) // a file system without hard links
      await syncFile(temporary)
    })
    await rename(temporary, target)
    await syncFolder(runDir)
  } finally {
    await rm(temporary, { force: true })
  }
}

// Folders are renamed before they are removed, so that a half-removed one does not look like a checkpoint. Damaged ones
// stay: they may become readable again, and the user should look at them.
async function prune(previous: SavedCheckpoint[], keep: number): Promise<void> {
  const sound = previous.filter((c) => c.damage === undefined)
  for (const old of sound.slice(0, Math.max(0, sound.length - keep))) {
    const doomed = temporaryPath(old.path)
    await rename(old.path, doomed)
    await rm(doomed, { recursive: true, force: true })
  }
}

/** All checkpoints in the order in which they were saved; damaged ones first. */
async function listCheckpoints(root: string): Promise<SavedCheckpoint[]> {
  const names = await readdir(root).catch((error) => {
    if (error.code === 'ENOENT') return []
    throw fileError(error, 'read', root)
  })
  const folders = names.filter((name) => /^step-[0-9]{6,16}(\.[0-9]{1,9})?$/.test(name))
  const saved = await Promise.all(folders.map((name) => inspect(join(root, name))))
  return saved.sort((a, b) => a.sequence - b.sequence)
}

async function inspect(path: string): Promise<SavedCheckpoint> {
  try {
    const { step, sequence, files } = await readJsonObject(join(path, MANIFEST), { maxBytes: 1e6 })
    if (!isCount(step) || !isCount(sequence) || !isJsonObject(files)) {
      throw damaged(`${MANIFEST} must have step, sequence and files`)
    }
    for (const [name, bytes] of Object.entries(files)) {
      if (!isPlainName(name))
        throw damaged(`Files in ${MANIFEST} must be plain names, got ${quote(name)}`)
      const { size } = await stat(join(path, name))
      if (size !== bytes) throw damaged(`${name} must have ${bytes} bytes, got ${size}`)
    }
    return { path, step, sequence, names: Object.keys(files) }
  } catch (error) {
    return {
      path,
      step: 0,
      sequence: 0,
      names: [],
      damage: String(error instanceof Error ? error.message : error),
    }
  }
}

function checkArguments(step: number, files: object, keep: number): void {
  if (!isCount(step))
    throw invalidOption({
      key: 'step',
      value: step,
      expected: 'a whole number from 0',
      remedy: 'Use the number of training steps.',
    })
  if (!isCount(keep) || keep < 1)
    throw invalidOption({
      key: 'keep',
      value: keep,
      expected: 'a whole number from 1',
      try: { keep: [1, 2] },
    })
  const bad = Object.keys(files).find((name) => !isPlainName(name) || name === MANIFEST)
  if (bad !== undefined)
    throw invalidOption({
      key: 'files',
      value: bad,
      expected: `plain names other than ${MANIFEST}`,
      remedy: 'Choose a name without a path.',
    })
}

function damaged(message: string): HeedError {
  return new HeedError('corrupt-file', message, { remedy: 'Copy the run folder again.' })
}

function pathsOf(folder: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, join(folder, name)]))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isPlainName(name: string): boolean {
  return name === basename(name) && !/[\\/:\0]/.test(name) && !['', '.', '..'].includes(name)
}
