import { basename, dirname, join } from 'node:path'
import { HeedError, shown } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'
import { formatOf, readHead } from '../files/file-format.ts'
import { isJsonObject, readJsonObject } from '../files/json.ts'
import { refuseOtherFormats } from '../files/wrong-format.ts'
import { openPyTorchFile } from '../pytorch/file.ts'
import { openSafetensorsFile, type Piece, type Safetensors, unknownTensor } from './file.ts'
import type { TensorInfo } from './header.ts'
import type { TypedArray } from './stored-dtype.ts'

/** Opens all shards of a `model.safetensors.index.json` or `pytorch_model.bin.index.json`. */
export async function openShards(indexPath: string): Promise<Safetensors> {
  const index = await readWeightMap(indexPath)
  const shards = new Map<string, Safetensors>()
  try {
    for (const file of new Set(index.values())) {
      shards.set(file, await openTensorFile(join(dirname(indexPath), file)))
    }
    const owners = new Map<string, Safetensors>()
    for (const [name, file] of index) {
      const shard = shards.get(file)
      shard?.info(name) // throws if the shard lacks it
      if (shard) owners.set(name, shard)
    }
    return new Shards(indexPath, owners, [...shards.values()])
  } catch (error) {
    for (const shard of shards.values()) await shard.close()
    throw error
  }
}

/** Opens one file of tensors in the format that its content has. */
export async function openTensorFile(path: string): Promise<Safetensors> {
  const head = await readHead(path)
  const format = formatOf(head)
  refuseOtherFormats(path, 'a safetensors or PyTorch file', head, [
    'safetensors',
    'torch',
    'oldTorch',
  ])
  const isPyTorch = format === null ? PYTORCH.test(path) : format !== 'safetensors'
  return isPyTorch ? openPyTorchFile(path) : openSafetensorsFile(path)
}

const PYTORCH = /\.(bin|pt|pth)$/

class Shards implements Safetensors {
  readonly path: string
  readonly names: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  private readonly owners: ReadonlyMap<string, Safetensors>
  private readonly shards: Safetensors[]

  constructor(path: string, owners: ReadonlyMap<string, Safetensors>, shards: Safetensors[]) {
    this.path = path
    this.names = [...owners.keys()]
    this.metadata = shards[0]?.metadata ?? {}
    this.owners = owners
    this.shards = shards
  }

  has(name: string): boolean {
    return this.owners.has(name)
  }

  info(name: string): TensorInfo {
    return this.owner(name).info(name)
  }

  read(name: string): Promise<TypedArray>
  read(name: string, options: { as: 'f32' }): Promise<Float32Array<ArrayBuffer>>
  read(name: string, options: { as: 'i32' }): Promise<Int32Array<ArrayBuffer>>
  async read(name: string, options?: { as: 'f32' | 'i32' }): Promise<TypedArray> {
    return this.owner(name).read(name, options as { as: 'f32' })
  }

  pieces(name: string): AsyncGenerator<Piece> {
    return this.owner(name).pieces(name)
  }

  async close(): Promise<void> {
    for (const shard of this.shards) await shard.close()
  }

  private owner(name: string): Safetensors {
    return this.owners.get(name) ?? unknownTensor(name, this)
  }
}

async function readWeightMap(path: string): Promise<Map<string, string>> {
  const { weight_map: map } = await readJsonObject(path)
  if (!isJsonObject(map))
    throw new HeedError(
      'corrupt-file',
      `\`weight_map\` in ${path} must be an object, got ${shown(map)}`,
      { key: 'weight_map', value: map, remedy: 'Download or save it again.' },
    )
  const files = new Map<string, string>()
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isShardName(file)) throw unsafeShard(path, name, file)
    files.set(name, file)
  }
  return files
}

function unsafeShard(path: string, tensor: string, file: unknown): HeedError {
  const expected = 'the name of a .safetensors or .bin file in the same folder'
  return new HeedError(
    'corrupt-file',
    `The shard of tensor ${quote(tensor)} in ${path} must be ${expected}, got ${shown(file)}`,
    {
      key: tensor,
      value: file,
      expected,
      remedy: 'Do not trust this file. Download the model again.',
    },
  )
}

// Names come from a downloaded file. With a path, they could access any file on the disk.
function isShardName(file: string): boolean {
  return /\.(safetensors|bin)$/.test(file) && file === basename(file) && !/[\\/:\0]/.test(file)
}
