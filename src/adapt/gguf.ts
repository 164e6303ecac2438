// LoRA adapters in GGUF files, as llama.cpp reads and writes them: `blk.0.attn_q.weight.lora_a` (r, in), `.lora_b`
// (out, r), and one alpha. llama.cpp scales by alpha/r, whatever the method.

import { isFile } from '../io/files/is-file.ts'
import { type GGUFFile, isGGUF, openGGUF } from '../io/gguf/gguf.ts'
import { type GGUFTensorToWrite, writeGGUF } from '../io/gguf/write.ts'
import { checkpointName, type GGUFFormat, rowOrderOf, storedWeight } from '../models/gguf/format.ts'
import { modelDefinition } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import type { Adapter } from './adapter.ts'
import type { AdapterModule, LowRank } from './module.ts'
import { classOf, type Place } from './places.ts'
import type { AdapterSpec } from './spec.ts'

/** Whether an adapter at this path is, or becomes, a GGUF file. */
export const isGGUFPath = (path: string): boolean => path.toLowerCase().endsWith('.gguf')

/** Whether a path is an existing GGUF file, whatever its name. */
export const isGGUFAdapter = async (path: string): Promise<boolean> =>
  (await isFile(path)) && isGGUF(path)

/**
 * Writes an adapter to a GGUF file, in f32.
 * @throws HeedError for a family without a GGUF format, and for what the format cannot express: DoRA, other methods,
 * biases, and modules that are trained whole
 */
export async function saveGGUFAdapter(
  adapter: Adapter,
  model: Module,
  path: string,
): Promise<void> {
  const format = formatOf(model)
  const changes = Object.entries(adapter.modules).map(([path, module]) =>
    changeOf(adapter, path, module),
  )
  const whole = Object.keys(adapter.saved)[0]
  if (whole !== undefined) throw inexpressible(`${whole}, which is trained whole`, 'save', whole)
  // llama.cpp has one alpha for all layers: other factors become part of B.
  const [{ change: first }] = changes
  const alpha = first.scale * first.a.shape[0]
  const tensors: GGUFTensorToWrite[] = []
  for (const { place, change } of changes) {
    const name = storedWeight(place.path, format.names)
    if (name === null) throw inexpressible(`the layer ${place.path}`, 'targets', place.path)
    const [rank, inputs] = change.a.shape
    const [outputs] = change.b.shape
    const factor = (change.scale * rank) / alpha
    const b = Float32Array.from(await change.b.data(), (value) => value * factor)
    const order = rowOrderOf(format, name, outputs, Object(model.config))
    // The table's A is looked up by token: (V, r).
    const isTable = place.kind === 'embedding'
    const a = await (isTable ? change.a.detach().t() : change.a).data()
    tensors.push(
      f32(`${name}.lora_a`, isTable ? [inputs, rank] : [rank, inputs], Float32Array.from(a)),
      f32(`${name}.lora_b`, [outputs, rank], order ? toStored(b, order) : b),
    )
  }
  const metadata = {
    'general.type': { type: 'string', value: 'adapter' },
    'general.architecture': { type: 'string', value: format.architecture },
    'adapter.type': { type: 'string', value: 'lora' },
    'adapter.lora.alpha': { type: 'f32', value: alpha },
  } as const
  await writeGGUF(path, metadata, tensors)
}

function changeOf(
  { config }: Adapter,
  path: string,
  { merging }: AdapterModule,
): { place: Place; change: LowRank } {
  const change = merging?.lowRank()
  if (merging && change) return { place: merging.place, change }
  throw inexpressible(`${config.method} at ${path}`, 'method', config.method)
}

const inexpressible = (what: string, key: string, value: unknown): HeedError =>
  new HeedError('unsupported', `An adapter in a GGUF file must be LoRA matrices of layers that GGUF names, got ${what}`, {
    key,
    value,
    remedy: 'Merge the adapter (heed merge) and use the merged model.',
  }) // biome-ignore format: one line

/** An adapter in a GGUF file: the specification that creates it, and its state. */
export interface StoredAdapter {
  readonly spec: AdapterSpec
  /** By the names in the adapter's state dict. */
  readonly state: Readonly<Record<string, Tensor>>
}

/**
 * Reads a GGUF adapter for a model.
 * @throws HeedError for a file that is not a LoRA adapter, for one of another architecture, and for missing matrices
 */
export async function readGGUFAdapter(model: Module, path: string): Promise<StoredAdapter> {
  const format = formatOf(model)
  const file = await openGGUF(path)
  try {
    checkKind(file, format)
    const config: Record<string, unknown> = Object(model.config)
    const state: Record<string, Tensor> = {}
    const rankPattern: Record<string, number> = {}
    for (const name of file.names) {
      const match = /^(.+\.weight)\.lora_(a|b)$/.exec(name)
      if (!match) throw wrongFile(path, `the tensor ${shown(name)}`, name)
      const [, stored, part] = match
      const { shape } = file.info(name)
      const layer = checkpointName(stored, format.names).replace(/\.weight$/, '')
      const isTable = stored === 'token_embd.weight'
      const values = await file.read(name)
      const order = part === 'b' ? rowOrderOf(format, stored, shape[0], Object(config)) : null
      const matrix = tensor(order ? fromStored(values, order) : values).reshape([...shape])
      const field = isTable ? 'lora_embedding_' : 'lora_'
      const key = `modules.${layer}.${field}${part.toUpperCase()}${isTable ? '' : '.weight'}`
      state[key] = isTable && part === 'a' ? matrix.t() : matrix
      if (part === 'b') rankPattern[layer] = shape[1]
    }
    const targets = Object.keys(rankPattern)
    if (targets.length === 0) throw wrongFile(path, 'no matrix', null)
    const alpha = file.metadata.number('adapter.lora.alpha', 0)
    if (!(alpha > 0)) throw wrongFile(path, `adapter.lora.alpha ${alpha}`, alpha)
    return { spec: { method: 'lora', targets, alpha, ...ranksOf(rankPattern) }, state }
  } finally {
    await file.close()
  }
}

/** One rank if all layers have the same. */
function ranksOf(rankPattern: Record<string, number>): { r: number; rankPattern?: object } {
  const [r, ...others] = new Set(Object.values(rankPattern))
  return others.length === 0 ? { r } : { r, rankPattern }
}

function checkKind({ metadata, path }: GGUFFile, format: GGUFFormat): void {
  const kind = metadata.string('general.type', 'model')
  if (kind !== 'adapter') throw wrongFile(path, `general.type ${shown(kind)}`, kind)
  const type = metadata.string('adapter.type', '')
  if (type !== 'lora') throw wrongFile(path, `adapter.type ${shown(type)}`, type)
  const name = metadata.string('general.architecture')
  if (name === format.architecture) return
  throw new HeedError('unsupported', `${path}: the adapter must be for the architecture ${format.architecture}, got ${shown(name)}`, {
    key: 'general.architecture',
    value: name,
    remedy: 'Use it with a model of its architecture.',
  }) // biome-ignore format: one line
}

const wrongFile = (path: string, what: string, value: unknown): HeedError =>
  new HeedError('unsupported', `${path} must be a GGUF file with a LoRA adapter, got ${what}`, {
    value,
    remedy: 'Use a file that llama.cpp or adapter.save() wrote.',
  })

function formatOf(model: Module): GGUFFormat {
  const { modelType } = classOf(model)
  const format = modelType === undefined ? null : modelDefinition(modelType).gguf
  if (format) return format
  throw new HeedError('unsupported', `The family of ${model.constructor.name} must have a GGUF format, got one without`, {
    key: 'model',
    value: modelType,
    remedy: 'Save the adapter to a folder, in the files of peft.',
  }) // biome-ignore format: one line
}

const f32 = (name: string, shape: number[], values: Float32Array): GGUFTensorToWrite => ({
  name,
  type: 'f32',
  shape,
  data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
})

/** Moves each row to its stored place. */
function toStored(values: Float32Array, order: readonly number[]): Float32Array {
  const out = new Float32Array(values.length)
  const width = values.length / order.length
  order.forEach((to, row) => {
    out.set(values.subarray(row * width, (row + 1) * width), to * width)
  })
  return out
}

/** The inverse of `toStored`. */
function fromStored(values: Float32Array, order: readonly number[]): Float32Array {
  const width = values.length / order.length
  const out = new Float32Array(values.length)
  order.forEach((from, row) => {
    out.set(values.subarray(from * width, (from + 1) * width), row * width)
  })
  return out
}
