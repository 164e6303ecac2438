// Models of GGUF files: names, config and order of rows as in the Hugging Face checkpoint that the
// file was made from.
import { type GGUFFile, openGGUF } from '../../io/gguf/gguf.ts'
import type { RawConfig } from '../../io/hub/hf.ts'
import type { Piece } from '../../io/safetensors/safetensors.ts'
import type { QuantizedWeight } from '../../nn/index.ts'
import { blockFormats } from '../../util/block-formats.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import { definitions } from '../definitions.ts'
import type { WeightFile } from '../weight-file.ts'
import type { GGUFFormat, GGUFNames } from './format.ts'

export interface GGUFModel {
  config: RawConfig
  weights: WeightFile
}

/**
 * Opens a GGUF file as a model. Close its weights in the end.
 * @throws HeedError for an architecture that is not known, or a tensor that cannot be decoded
 */
export async function openGGUFModel(path: string): Promise<GGUFModel> {
  const file = await openGGUF(path)
  try {
    const { modelType, format } = formatOf(file)
    const config = {
      architectures: [format.className],
      model_type: modelType,
      ...(await format.config(file, format.architecture)),
    }
    return { config, weights: new GGUFWeights(file, format, config) }
  } catch (error) {
    await file.close()
    throw error
  }
}

function formatOf({ metadata, path }: GGUFFile): { modelType: string; format: GGUFFormat } {
  const name = metadata.string('general.architecture')
  const known = definitions.values().flatMap(({ modelType, gguf: format }) => {
    return format ? [{ modelType, format }] : []
  })
  const match = known.find(({ format }) => format.architecture === name)
  if (match) return match
  const names = nearestFirst(
    name,
    known.map(({ format }) => format.architecture),
  )
  throw new HeedError(
    'unsupported',
    `The architecture of a GGUF file must be one of ${names.join(', ')}, got ${shown(name)} in ${path}`,
    { key: 'general.architecture', value: name, remedy: 'Use a model of one of these families.' },
  )
}

class GGUFWeights implements WeightFile {
  readonly path: string
  readonly names: readonly string[]
  private readonly file: GGUFFile
  private readonly stored: ReadonlyMap<string, string>
  private readonly format: GGUFFormat
  private readonly config: RawConfig

  constructor(file: GGUFFile, format: GGUFFormat, config: RawConfig) {
    this.file = file
    this.path = file.path
    this.format = format
    this.config = config
    const kept = file.names.filter((name) => !DERIVED.test(name))
    for (const name of kept) file.decodableType(name) // says at once what cannot be read
    this.stored = new Map(kept.map((name) => [checkpointName(name, format.names), name]))
    this.names = [...this.stored.keys()]
  }

  info(name: string): { readonly shape: readonly number[] } {
    return this.file.info(this.storedName(name))
  }

  async *pieces(name: string): AsyncGenerator<Piece> {
    const stored = this.storedName(name)
    const heads = this.interleavedHeads(stored)
    if (heads > 0) {
      const [rows] = this.file.info(stored).shape
      const values = inHalves(await this.file.read(stored), rows, heads)
      yield { start: 0, values }
      return
    }
    const shift = NORM.test(stored) ? this.format.normShift : 0
    for await (const { start, values } of this.file.pieces(stored))
      yield { start, values: shift === 0 ? values : values.map((value) => value + shift) }
  }

  async blocks(name: string): Promise<QuantizedWeight | null> {
    const stored = this.storedName(name)
    const { type, shape } = this.file.info(stored)
    const format = blockFormats.find((known) => known === type)
    if (format === undefined || shape.length !== 2) return null
    const [rows, columns] = shape
    const data = await this.file.readBlocks(stored)
    const heads = this.interleavedHeads(stored)
    return {
      format,
      shape: [rows, columns],
      data: heads > 0 ? inHalves(data, rows, heads) : data,
    }
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private storedName(name: string): string {
    return this.stored.get(name) ?? name
  }

  /** The number of heads whose rows must be reordered; 0 for tensors that are stored as they are needed. */
  private interleavedHeads(stored: string): number {
    const [, layer, path] = STORED_NAME.exec(stored) ?? []
    if (layer === undefined || !Object.hasOwn(this.format.interleaved, path)) return 0
    return Number(this.config[this.format.interleaved[path]])
  }
}

/** Frequencies of rotary embeddings: the config says them. */
const DERIVED = /(^|\.)(rope_freqs|attn_rot_embd)\.weight$/
const NORM = /_norm\.weight$/

function checkpointName(stored: string, { outer, layers, inner }: GGUFNames): string {
  const [, layer, path, kind] = STORED_NAME.exec(stored) ?? []
  const names = layer === undefined ? outer : inner
  if (path === undefined || !Object.hasOwn(names, path)) return stored
  return layer === undefined
    ? `${names[path]}.${kind}`
    : `${layers}.${layer}.${names[path]}.${kind}`
}

const STORED_NAME = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/

/**
 * The rows of each head from the order of Llama's GGUF files, where the two features that a rotary
 * embedding turns are neighbours (0, 1), (2, 3) …, to (0, D/2), (1, D/2 + 1) ….
 */
function inHalves<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: T,
  rows: number,
  heads: number,
): T {
  const half = rows / heads / 2
  const width = values.length / rows
  const out = values.slice() as T
  for (let row = 0; row < rows; row++) {
    const inHead = row % (2 * half)
    const from = row - inHead + 2 * (inHead % half) + Math.floor(inHead / half)
    out.set(values.subarray(from * width, (from + 1) * width), row * width)
  }
  return out
}
