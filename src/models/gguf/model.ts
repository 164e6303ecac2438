// Models in GGUF files, with the names, config and row order of the Hugging Face checkpoint that they were converted
// from.
import { type GGUFFile, openGGUF } from '../../io/gguf/gguf.ts'
import type { RawConfig } from '../../io/hub/hf.ts'
import type { Piece } from '../../io/safetensors/safetensors.ts'
import type { QuantizedWeight } from '../../nn/index.ts'
import { blockFormats } from '../../util/block-formats.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import { definitions } from '../definitions.ts'
import type { WeightFile } from '../weight-file.ts'
import {
  checkpointName,
  type GGUFFormat,
  innerName,
  rowOrderOf,
  type StoredForm,
} from './format.ts'

export interface GGUFModel {
  config: RawConfig
  weights: WeightFile
}

/**
 * Opens a GGUF file as a model. The caller must close its weights.
 * @throws HeedError for an unknown architecture, or a tensor that cannot be decoded
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
    for (const name of kept) file.decodableType(name) // throws for tensors that cannot be decoded
    this.stored = new Map(kept.map((name) => [checkpointName(name, format.names), name]))
    this.names = [...this.stored.keys()]
  }

  info(name: string): { readonly shape: readonly number[] } {
    const { shape } = this.file.info(this.storedName(name))
    return { shape: this.isTransposed(name) ? shape.toReversed() : shape }
  }

  async *pieces(name: string): AsyncGenerator<Piece> {
    const stored = this.storedName(name)
    const { shift = 0 } = this.formOf(stored)
    const order = this.rowOrder(stored)
    if (order) yield { start: 0, values: reordered(await this.file.read(stored), order) }
    else if (this.isTransposed(name))
      yield { start: 0, values: transposed(await this.file.read(stored), this.info(name).shape) }
    else
      for await (const { start, values } of this.file.pieces(stored))
        yield { start, values: shift === 0 ? values : values.map((value) => value + shift) }
  }

  async blocks(name: string): Promise<QuantizedWeight | null> {
    const stored = this.storedName(name)
    const { type, shape } = this.file.info(stored)
    const format = blockFormats.find((known) => known === type)
    if (format === undefined || shape.length !== 2 || this.formOf(stored).expanded) return null
    const [rows, columns] = shape
    const data = await this.file.readBlocks(stored)
    const order = this.rowOrder(stored)
    return { format, shape: [rows, columns], data: order ? reordered(data, order) : data }
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private storedName(name: string): string {
    return this.stored.get(name) ?? name
  }

  private formOf(stored: string): StoredForm {
    const path = innerName(stored)
    const { forms } = this.format
    return path !== undefined && Object.hasOwn(forms, path) ? forms[path] : {}
  }

  private isTransposed(name: string): boolean {
    const stored = this.storedName(name)
    return this.formOf(stored).transposed === true && this.file.info(stored).shape.length === 2
  }

  /** The stored row of each row of the checkpoint; null if the order is the same. */
  private rowOrder(stored: string): number[] | null {
    return rowOrderOf(this.format, stored, this.file.info(stored).shape[0], this.config)
  }
}

/** Divisors of rotary frequencies, which are part of the config instead. */
const DERIVED = /(^|\.)(rope_freqs|rope_factors_(long|short)|attn_rot_embd)\.weight$/

/** Reorders rows of numbers, or of bytes of blocks. */
function reordered<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: T,
  order: readonly number[],
): T {
  const width = values.length / order.length
  const out = values.slice() as T
  order.forEach((from, row) => {
    out.set(values.subarray(from * width, (from + 1) * width), row * width)
  })
  return out
}

/** Transposes a stored matrix (columns, rows) to (rows, columns). */
function transposed(
  values: Float32Array<ArrayBuffer>,
  [rows, columns]: readonly number[],
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[row * columns + column] = values[column * rows + row]
  return out
}
