// Whether the files of a run are as they were written.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { warn } from '../../util/warn.ts'
import { hashesInCheckpoints } from './checkpoint.ts'
import { HASHES, hashFile, problemOf, storedHashes } from './hashes.ts'

export interface FileCheck {
  name: string
  /** What is wrong; undefined if the file is as it was written. */
  problem: string | undefined
}

/**
 * Checks the files that hashes.json of a folder lists, without those of weights if `weights` is false. Undefined if it
 * has none: other folders, and runs of older versions.
 * @throws HeedError if the list is damaged
 */
export async function checkFiles(
  folder: string,
  { weights = true }: { weights?: boolean } = {},
): Promise<FileCheck[] | undefined> {
  const stored = await storedHashes(folder)
  if (!stored) return undefined
  const entries = Object.entries(stored).filter(([name]) => weights || !WEIGHTS.test(name))
  return Promise.all(
    entries.map(async ([name, entry]) => {
      const problem = await problemOf(join(folder, name), entry)
      const sound = problem === undefined || (await isPublished(folder, name))
      return { name, problem: sound ? undefined : problem }
    }),
  )
}

const WEIGHTS = /\.(safetensors|bin|gguf)$/

/** A process that was killed between publishing a checkpoint's file and recording its hash leaves this state. */
async function isPublished(folder: string, name: string): Promise<boolean> {
  const hashes = await hashesInCheckpoints(folder, name)
  if (hashes.length === 0) return false
  const hash = await hashFile(join(folder, name)).catch(() => undefined)
  return hash !== undefined && hashes.includes(hash)
}

/**
 * Checks a folder before it is opened; only its small files if `weights` is false.
 * @throws HeedError that names a damaged file
 */
export async function requireIntact(
  folder: string,
  options: { weights?: boolean } = {},
): Promise<void> {
  const files = await checkFiles(folder, options)
  if (!files) return noteMissingHashes(folder)
  const bad = files.find(({ problem }) => problem !== undefined)
  if (bad)
    throw new HeedError('corrupt-file', `${join(folder, bad.name)} is damaged: ${bad.problem}`, {
      value: join(folder, bad.name),
      remedy:
        'Restore it from a copy: a checkpoint of the run, or a new download. If you changed it yourself, `heed verify` can accept it.',
    })
}

async function noteMissingHashes(folder: string): Promise<void> {
  const isRun = await stat(join(folder, 'task.json')).catch(() => undefined)
  if (isRun)
    warn(
      `${folder} has no ${HASHES}, as it was written by an older version or interrupted: its files are not checked`,
    )
}
