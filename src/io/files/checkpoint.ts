import { createHash } from 'node:crypto'
import { copyFile, link, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { warn } from '../../util/warn.ts'
import { removeStaleTemporaries, syncFile, syncFolder, temporaryPath } from './atomic.ts'
import { ensureDir } from './ensure-dir.ts'
import { fileError, quote } from './file-error.ts'
import { hashFile, problemOf } from './hashes.ts'
import { isJsonObject, readJsonObject } from './json.ts'
import { isHeld, move, remove } from './patience.ts'

// RUN/                          always a valid Hugging Face folder
//   config.json, tokenizer.json …
//   model.safetensors           hard link to the newest checkpoint's file
//   checkpoints/
//     step-000200/              complete; incomplete checkpoints do not get this name
//       model.safetensors, optimizer.safetensors, trainer_state.json …
//       checkpoint.json         { step, sequence, files: { name: { bytes, sha256 } }, sha256 }
//     .step-000300.….tmp/       being written or removed; ignored
//
// The files of a checkpoint become visible with one rename of their folder, so that a killed process leaves the old set
// or the new one, never a mixture. Sizes and hashes detect other damage, such as an interrupted copy or a failing disk.
// Checkpoints of older versions have only sizes: { name: bytes }.

/** The content of a file, or a function that writes the file to the given path. */
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

/** Saves a consistent set of files. When the promise resolves, they are synced to disk. */
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

/** The newest intact checkpoint of a run. */
export interface LatestCheckpoint extends Checkpoint {
  /** Descriptions of newer checkpoints that are damaged. */
  damaged: readonly string[]
}

/**
 * Finds the newest intact checkpoint; undefined if the run has none. All of its files are verified, or only the
 * `needed` ones.
 * @throws HeedError if all checkpoints are damaged
 */
export async function latestCheckpoint(
  runDir: string,
  needed?: readonly string[],
): Promise<LatestCheckpoint | undefined> {
  const saved = await listCheckpoints(join(runDir, 'checkpoints'))
  const broken: { step: number; text: string }[] = []
  let newest: Omit<LatestCheckpoint, 'damaged'> | undefined
  for (const { path, step, files, damage } of saved.toReversed()) {
    const problem = damage ?? (newest ? undefined : await wrongContent(path, files, needed))
    if (problem !== undefined) broken.push({ step, text: `${path}: ${problem}` })
    else newest ??= { path, step, files: pathsOf(path, Object.keys(files)) }
  }
  if (newest) {
    const { step } = newest
    return { ...newest, damaged: broken.filter((x) => x.step > step).map(({ text }) => text) }
  }
  const damaged = saved.at(-1)
  if (damaged === undefined) return undefined
  throw new HeedError(
    'corrupt-file',
    `At least one checkpoint in ${runDir} must be intact, got only damaged ones. ${broken[0].text}`,
    {
      value: damaged.path,
      remedy: 'Copy the run folder again, or start a new run in another folder.',
    },
  )
}

/** Verifies all bytes of all checkpoints of a run, oldest first. `problem` is undefined for an intact checkpoint. */
export async function checkpointProblems(
  runDir: string,
): Promise<{ path: string; problem: string | undefined; hashed: boolean }[]> {
  const saved = await listCheckpoints(join(runDir, 'checkpoints'))
  return Promise.all(
    saved.map(async ({ path, files, damage }) => ({
      path,
      problem: damage ?? (await wrongContent(path, files)),
      hashed: Object.values(files).every(({ sha256 }) => sha256 !== undefined),
    })),
  )
}

/** The hashes of the files with this name in the checkpoints of a run. */
export async function hashesInCheckpoints(runDir: string, name: string): Promise<string[]> {
  const saved = await listCheckpoints(join(runDir, 'checkpoints'))
  return saved.flatMap(({ files }) =>
    Object.hasOwn(files, name) && files[name].sha256 ? [files[name].sha256] : [],
  )
}

async function wrongContent(
  path: string,
  files: SavedCheckpoint['files'],
  needed: readonly string[] = Object.keys(files),
): Promise<string | undefined> {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const problem =
      sha256 && needed.includes(name) && (await problemOf(join(path, name), { sha256 }))
    if (problem) return `${name}: ${problem}`
  }
  return undefined
}

interface SavedCheckpoint {
  path: string
  step: number
  sequence: number
  /** Checkpoints of older versions have no hashes. */
  files: Readonly<Record<string, { bytes: number; sha256?: string }>>
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
    const written: Record<string, { bytes: number; sha256: string }> = {}
    for (const [name, content] of Object.entries(files)) {
      const file = join(temporary, name)
      if (typeof content === 'function') await content(file)
      else await writeFile(file, content)
      await syncFile(file)
      written[name] = { bytes: (await stat(file)).size, sha256: await hashFile(file) }
    }
    const manifest = join(temporary, MANIFEST)
    const list = { step, sequence, files: written }
    await writeFile(manifest, `${JSON.stringify({ ...list, sha256: hashOf(list) }, null, 2)}\n`)
    await syncFile(manifest)
    await syncFolder(temporary)
    await move(temporary, path)
    await syncFolder(root)
    return path
  } catch (error) {
    await remove(temporary).catch(() => {})
    throw error
  }
}

// A run that resumes from an older checkpoint reaches the same step again. Replacing a folder would take two renames,
// with no folder in between, so the newer one gets another name.
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
    await move(temporary, target)
    await syncFolder(runDir)
  } finally {
    await rm(temporary, { force: true })
  }
}

// Folders are renamed before they are removed, so that a partly removed one does not look like a checkpoint. Damaged
// ones are kept for inspection, and because they may become readable again.
async function prune(previous: SavedCheckpoint[], keep: number): Promise<void> {
  const sound = previous.filter((c) => c.damage === undefined)
  for (const old of sound.slice(0, Math.max(0, sound.length - keep))) {
    const doomed = temporaryPath(old.path)
    try {
      await move(old.path, doomed)
      await remove(doomed)
    } catch (error) {
      if (!isHeld(error)) throw error
      warn(
        `${old.path} cannot be removed yet, because another program has it open. The next checkpoint will try again.`,
      )
    }
  }
}

/** All checkpoints in the order of saving; damaged ones first. */
async function listCheckpoints(root: string): Promise<SavedCheckpoint[]> {
  const names = await readdir(root).catch((error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw fileError(error, 'read', root)
  })
  const folders = names.filter((name) => /^step-[0-9]{6,16}(\.[0-9]{1,9})?$/.test(name))
  const saved = await Promise.all(folders.map((name) => inspect(join(root, name))))
  return saved.sort((a, b) => a.sequence - b.sequence)
}

async function inspect(path: string): Promise<SavedCheckpoint> {
  try {
    const list = await readJsonObject(join(path, MANIFEST), { maxBytes: 1e6 })
    const { step, sequence, files, sha256 } = list
    if (!isCount(step) || !isCount(sequence) || !isJsonObject(files)) {
      throw damaged(`${MANIFEST} must have step, sequence and files`)
    }
    const isOlder = Object.values(files).every(isCount)
    if (!isOlder && sha256 !== hashOf({ step, sequence, files }))
      throw damaged(`${MANIFEST} must match its SHA-256`)
    const entries: Record<string, { bytes: number; sha256?: string }> = {}
    for (const [name, entry] of Object.entries(files)) {
      if (!isPlainName(name))
        throw damaged(`Files in ${MANIFEST} must be names without a path, got ${quote(name)}`)
      entries[name] = entryOf(entry)
      const { size } = await stat(join(path, name))
      if (size !== entries[name].bytes)
        throw damaged(`${name} must have ${entries[name].bytes} bytes, got ${size}`)
    }
    return { path, step, sequence, files: entries }
  } catch (error) {
    return {
      path,
      step: Number(/step-(\d+)/.exec(basename(path))?.[1]),
      sequence: 0,
      files: {},
      damage: String(error instanceof Error ? error.message : error),
    }
  }
}

/** Older versions wrote only the size. */
function entryOf(entry: unknown): { bytes: number; sha256?: string } {
  if (isCount(entry)) return { bytes: entry }
  const { bytes, sha256 } = isJsonObject(entry) ? entry : {}
  if (isCount(bytes) && typeof sha256 === 'string') return { bytes, sha256 }
  throw damaged(`${MANIFEST} must state the size and the SHA-256 of each file`)
}

const hashOf = (list: object): string =>
  createHash('sha256').update(JSON.stringify(list)).digest('hex')

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
      expected: `names without a path, other than ${MANIFEST}`,
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
