// The base of an adapter that was trained with heed train: where it was, and what it was. It is not copied.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { hashFile } from '../io/files/hashes.ts'
import { isFile } from '../io/files/is-file.ts'
import { readJsonObject } from '../io/files/json.ts'
import { weightsOf } from '../models/weight-file.ts'
import { HeedError } from '../util/errors.ts'
import { type QuantizeFormat, quantizeFormats } from '../util/quantize-blocks.ts'
import { warn } from '../util/warn.ts'
import { isAdapter, readPeftConfig } from './peft.ts'

/** The base of an adapter in task.json. */
export const baseSchema = z.object({
  path: z.string().max(4096).describe('absolute path of the folder or GGUF file'),
  sha256: z
    .string()
    .regex(/^[\da-f]{64}$/)
    .describe('SHA-256 of its weights, or of the index of sharded weights'),
  quantize: z
    .enum(quantizeFormats)
    .optional()
    .describe(
      'format to which its weights were quantised for the training; omitted if they were not',
    ),
})

/** The base of an adapter: its path, the SHA-256 of its weights, and the format to which they were quantised. */
export type AdapterBase = z.output<typeof baseSchema>

/** The base with its new place and the weights there, on which training continues. */
export async function movedBase(
  base: AdapterBase,
  { base: moved }: { base?: string },
): Promise<AdapterBase> {
  if (moved === undefined) return base
  return { ...base, path: resolve(moved), sha256: await hashFile(await weightsOf(moved)) }
}

/**
 * Describes the base of an adapter: a model folder or GGUF file, or the base of an adapter that is trained further.
 * @param base where the base of the adapter that is trained further is now, if it has moved
 */
export async function describeBase(
  path: string,
  { quantize, base: moved }: { quantize?: QuantizeFormat; base?: string } = {},
): Promise<AdapterBase> {
  if (!(await isAdapter(path)))
    return {
      path: resolve(path),
      sha256: await hashFile(await weightsOf(path)),
      ...(quantize && { quantize }),
    }
  const { base: stored } = await readPeftConfig(path)
  const recorded = await recordedBase(path)
  return recorded
    ? movedBase(recorded, { base: moved })
    : describeBase(await findBase(path, { moved, stored }))
}

/**
 * Finds the base of the adapter in a folder.
 * @param moved its new place, if it has moved
 * @param stored the base that adapter_config.json names
 * @throws HeedError if there is no base, and if it has other weights than those that the adapter was trained on
 */
export async function findBase(
  dir: string,
  { moved, stored }: { moved?: string; stored: string | null },
): Promise<string> {
  const recorded = await recordedBase(dir)
  const path = moved ?? recorded?.path ?? stored
  if (path === null)
    throw new HeedError('missing-file', `The adapter in ${dir} must be opened with its base, which it does not name`, {
      key: 'base',
      value: dir,
      remedy: 'Name the folder or GGUF file of the model with `base`.',
    }) // biome-ignore format: one line
  if (!(await exists(path)))
    throw new HeedError('missing-file', `The base of the adapter in ${dir} must be at ${path}, but is not there`, {
      key: 'base',
      value: path,
      remedy: 'Move it back, or name its new place with `base`.',
    }) // biome-ignore format: one line
  if (recorded) await checkWeights(path, recorded, dir, moved !== undefined)
  return path
}

/** The base that task.json names; undefined for an adapter that heed train has not written. */
export async function recordedBase(dir: string): Promise<AdapterBase | undefined> {
  const path = join(dir, 'task.json')
  if (!(await isFile(path))) return undefined
  const { base } = await readJsonObject(path, { maxBytes: 20e6 })
  if (base === undefined) return undefined
  const parsed = baseSchema.safeParse(base)
  if (parsed.success) return parsed.data
  throw new HeedError('corrupt-file', `${path}: \`base\` must have the path and SHA-256 of a model, and a known format`, {
    key: 'base',
    value: base,
    remedy: 'Restore the file, or train again.',
  }) // biome-ignore format: one line
}

/** Weights that were last changed before the adapter was trained are not read to compare them. */
async function checkWeights(
  path: string,
  { sha256 }: AdapterBase,
  dir: string,
  wasNamed: boolean,
): Promise<void> {
  const weights = await weightsOf(path)
  const [base, run] = await Promise.all([stat(weights), stat(join(dir, 'task.json'))])
  if (!wasNamed && base.mtimeMs < run.mtimeMs) return
  if ((await hashFile(weights)) === sha256) return
  const text = `The base of the adapter in ${dir} must have the weights that it was trained on, got others in ${weights}`
  if (wasNamed) return warn(`${text}.`)
  throw new HeedError('corrupt-file', text, {
    key: 'base',
    value: path,
    remedy: 'Restore it, or name the right one with `base`.',
  })
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
