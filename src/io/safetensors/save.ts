import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { removeStaleTemporaries, writeFileAtomic } from '../files/atomic.ts'
import { ensureDir } from '../files/ensure-dir.ts'
import { fileError } from '../files/file-error.ts'
import { tensorsToWrite } from './from-tensors.ts'
import { type TensorToWrite, tensorBytes, tensorList, writeSafetensors } from './write.ts'

/** Options of `saveSafetensors`. */
export interface SaveWeightsOptions {
  /** Maximum number of data bytes per file. A larger tensor gets a separate file. Default 5e9. */
  maxShardBytes?: number
  /** Strings for `__metadata__`. */
  metadata?: Record<string, string>
}

const SAVE_WEIGHTS = optionKinds<SaveWeightsOptions>({
  maxShardBytes: 'number?',
  metadata: 'object?',
})

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const SHARD = /^model(-[0-9]{1,9})?-[0-9]{5}-of-[0-9]{5}\.safetensors$/

/**
 * Writes tensors, such as `model.stateDict()`, to a `.safetensors` file, or to a folder in the layout of transformers:
 * `model.safetensors`, or shards with an index if they exceed `maxShardBytes`. Only one tensor is in memory at a time.
 * The operation is atomic: until everything is on disk, the path has the old weights.
 * @throws HeedError if the disk is full, or if a value does not fit its dtype
 */
export async function saveSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite> | Readonly<Record<string, Tensor>>,
  options: SaveWeightsOptions = {},
): Promise<void> {
  checkArgument('saveSafetensors', 'path', path, 'text')
  checkArgument('saveSafetensors', 'tensors', tensors, 'object')
  SAVE_WEIGHTS.check('saveSafetensors', options)
  const { maxShardBytes = 5e9, metadata = { format: 'pt' } } = options
  const list = isIterable(tensors)
    ? tensorList('saveSafetensors', tensors)
    : await tensorsToWrite(tensors)
  if (!path.endsWith('.safetensors')) return saveFolder(path, list, maxShardBytes, metadata)
  if (options.maxShardBytes !== undefined)
    throw invalidOption({
      key: 'maxShardBytes',
      value: maxShardBytes,
      expected: 'undefined for a single file',
      remedy: 'To write shards, pass the path of a folder.',
    })
  await ensureDir(dirname(path))
  await writeSafetensors(path, list, metadata)
}

const isIterable = (tensors: object): tensors is Iterable<TensorToWrite> =>
  Symbol.iterator in tensors

async function saveFolder(
  dir: string,
  tensors: TensorToWrite[],
  maxShardBytes: number,
  metadata: Record<string, string>,
): Promise<void> {
  if (!(maxShardBytes > 0))
    throw invalidOption({
      key: 'maxShardBytes',
      value: maxShardBytes,
      expected: 'more than 0',
      try: { maxShardBytes: [5e9] },
    })
  const shards = cutIntoShards(tensors, maxShardBytes)
  await ensureDir(dir)
  try {
    await removeStaleTemporaries(dir)
    if (shards.length > 1) return await writeShards(dir, shards, metadata)
    await writeSafetensors(join(dir, SINGLE), shards[0], metadata)
    await remove(dir, [INDEX])
    await remove(dir, await shardNames(dir))
  } catch (error) {
    throw fileError(error, 'save the weights in', dir)
  }
}

// Readers prefer model.safetensors to an index, so the new weights become valid in one step: the rename of the index or
// the removal of the single file.
async function writeShards(
  dir: string,
  shards: TensorToWrite[][],
  metadata: Record<string, string>,
): Promise<void> {
  const old = await shardNames(dir)
  const names = freeNames(shards.length, new Set(old))
  try {
    for (const [i, tensors] of shards.entries())
      await writeSafetensors(join(dir, names[i]), tensors, metadata)
    await writeFileAtomic(join(dir, INDEX), indexJson(shards, names))
  } catch (error) {
    await remove(dir, names).catch(() => {}) // the first error is reported
    throw error
  }
  await remove(dir, [SINGLE])
  await remove(dir, old)
}

/** Fills shards in the given order. There is always at least one shard, which may be empty. */
function cutIntoShards(tensors: TensorToWrite[], limit: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [[]]
  let filled = 0
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor)
    if (filled > 0 && filled + bytes > limit) {
      shards.push([])
      filled = 0
    }
    shards[shards.length - 1].push(tensor)
    filled += bytes
  }
  return shards
}

/** The file names of transformers, with a number if they exist from an earlier save. */
function freeNames(count: number, taken: ReadonlySet<string>): string[] {
  const five = (n: number): string => String(n).padStart(5, '0')
  for (let save = 1; ; save++) {
    const stem = save === 1 ? 'model' : `model-${save}`
    const names = Array.from(
      { length: count },
      (_, i) => `${stem}-${five(i + 1)}-of-${five(count)}.safetensors`,
    )
    if (!names.some((name) => taken.has(name))) return names
  }
}

function indexJson(shards: TensorToWrite[][], names: string[]): string {
  const map = shards.flatMap((tensors, i) => tensors.map(({ name }) => [name, names[i]] as const))
  if (new Set(map.map(([name]) => name)).size < map.length)
    throw new HeedError('invalid-option', 'Tensor names must be unique, got a duplicate', {
      key: 'tensors',
      remedy: 'Rename one of the tensors.',
    })
  const size = shards.flat().reduce((sum, tensor) => sum + tensorBytes(tensor), 0)
  const index = { metadata: { total_size: size }, weight_map: Object.fromEntries(map) }
  return `${JSON.stringify(index, null, 2)}\n`
}

const shardNames = async (dir: string): Promise<string[]> =>
  (await readdir(dir)).filter((name) => SHARD.test(name))

async function remove(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(dir, name), { force: true })
}
