// Verifies the files of a run against their hashes.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { warn } from '../../util/warn.ts'
import { hashesInCheckpoints } from './checkpoint.ts'
import { HASHES, hashFile, problemOf, storedHashes } from './hashes.ts'

export interface FileCheck {
  name: string
  /** Description of the problem; undefined if the file is intact. */
  problem: string | undefined
}

/**
 * Verifies the files in the hashes.json of a folder; without weights if `weights` is false. Undefined if the folder
 * has no hashes.json, like runs of older versions.
 * @throws HeedError if hashes.json is damaged
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

/** Accepts the state after a process was killed between publishing a checkpoint's file and recording its hash. */
async function isPublished(folder: string, name: string): Promise<boolean> {
  const hashes = await hashesInCheckpoints(folder, name)
  if (hashes.length === 0) return false
  const hash = await hashFile(join(folder, name)).catch(() => undefined)
  return hash !== undefined && hashes.includes(hash)
}

/**
 * Verifies a folder before it is opened; only its small files if `weights` is false.
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
        'Restore it from a checkpoint of the run or a new download. If you changed it yourself, `heed verify` can accept it.',
    })
}

async function noteMissingHashes(folder: string): Promise<void> {
  const isRun = await stat(join(folder, 'task.json')).catch(() => undefined)
  if (isRun)
    warn(
      `${folder} has no ${HASHES}, because an older version wrote it or the run was interrupted. Its files are not verified.`,
    )
}
