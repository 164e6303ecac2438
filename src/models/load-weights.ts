// Loads the tensors of a file into the parameters of a model.

import { isJsonObject } from '../io/files/json.ts'
import { assertFinite, type Piece } from '../io/safetensors/safetensors.ts'
import {
  Blocks,
  Embedding,
  type LoadOptions,
  type Module,
  type ModuleState,
  replaceableWeights,
  replaceWeights,
  setValues,
  takeValues,
  untie,
} from '../nn/index.ts'
import { fromPieces, ModuleBuffer, Parameter, zeros } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { warn } from '../util/warn.ts'
import { sameTensors } from './same-tensors.ts'
import type { WeightFile } from './weight-file.ts'

/** Options of `loadAll`. */
export interface LoadWeightsOptions extends LoadOptions {
  /** Whether to keep quantised weights in their blocks. Default false. */
  keepBlocks?: boolean
}

/**
 * Loads all weights of a model. Returns the parameters and buffers that were loaded.
 * @throws HeedError that lists weights that are missing or have another shape, or for weights that are not numbers
 */
export async function loadAll(
  model: Module,
  file: WeightFile,
  { keepBlocks = false, ...options }: LoadWeightsOptions = {},
): Promise<ModuleState[]> {
  const replaceable = keepBlocks ? replaceableWeights(model) : new Set<ModuleState>()
  const blocks = new Map<ModuleState, Blocks>()
  const stored = Object.fromEntries(file.names.map((name) => [name, file.info(name)]))
  const matches = model.matchState(stored, options)
  for (const { key, state, tied } of matches) {
    const quantized = replaceable.has(state) ? await file.blocks?.(key) : null
    if (quantized) blocks.set(state, new Blocks(quantized))
    else await fill(state, file, key)
    for (const other of tied) await untieWhereDifferent(model, file, key, other)
  }
  replaceWeights(model, blocks)
  return matches.map(({ state }) => state)
}

const checkIsBelow = argumentKinds('isBelow', { name: 'text', bases: 'texts' })

/** Returns whether a weight's name is below one of these paths. The path '' contains all weights. */
export function isBelow(name: string, bases: readonly string[]): boolean {
  checkIsBelow(name, bases)
  return bases.some((base) => base === '' || name.startsWith(`${base}.`))
}

/**
 * Loads all weights below `bases`, and of the others those that fit. Returns the names of missing weights. @throws
 * HeedError if a weight below `bases` is missing
 */
export async function loadBelowHead(
  model: Module,
  file: WeightFile,
  bases: readonly string[],
  options: LoadWeightsOptions = {},
): Promise<string[]> {
  const isBase = (name: string): boolean => isBelow(name, bases)
  const mayDiffer = (name: string): boolean => !isBase(name)
  const loaded = new Set(await loadAll(model, file, { ...options, strict: false, mayDiffer }))
  const missing = model
    .namedState()
    .filter(([, state]) => !loaded.has(state))
    .filter(([, state]) => !(state instanceof ModuleBuffer && state.optional))
    .map(([name]) => name)
  const below = missing.filter(isBase)
  if (below.length === 0) return missing
  throw new HeedError(
    'invalid-config',
    `${file.path} must have all weights of the model, but lacks ${below.length}:\n    ${below.slice(0, 20).join('\n    ')}`,
    { remedy: 'Check that the download is complete and that config.json belongs to it.' },
  )
}

async function fill(state: ModuleState, file: WeightFile, key: string): Promise<void> {
  if (state.dtype === 'f32') checkNumbers(file, key)
  const values = await fromPieces(state.shape, finitePieces(file, key), key)
  if (state.dtype === 'f32') takeValues(state, values)
  else setValues(state, values.to(state.dtype))
}

async function* finitePieces(file: WeightFile, key: string): AsyncGenerator<Piece> {
  for await (const piece of file.pieces(key)) {
    assertFinite(piece.values, key, file.path, piece.start)
    yield piece
  }
}

/** Rejects bytes stored in place of a weight: they are quantised codes with unknown scales. */
function checkNumbers(file: WeightFile, key: string): void {
  const { dtype } = file.info(key)
  if (dtype !== 'i8' && dtype !== 'u8') return
  const name = dtype === 'i8' ? 'int8' : 'uint8'
  throw new HeedError(
    'unsupported',
    `The weight ${key} in ${file.path} must be floating-point numbers, got ${name} (a quantised checkpoint)`,
    { key, value: dtype, remedy: 'Use the original, unquantised model, or a GGUF file of it.' },
  )
}

/**
 * Gives a layer its own parameter if it shares one in the model but the checkpoint has different values, which occurs
 * in fine-tuned and merged models. transformers 5 does the same.
 */
async function untieWhereDifferent(
  model: Module,
  file: WeightFile,
  key: string,
  other: { key: string; path: string },
): Promise<void> {
  if (await sameTensors(file, key, other.key)) return
  const separate = new Parameter(zeros(file.info(other.key).shape))
  await fill(separate, file, other.key)
  const isEmbedding = untie(model, other.path, separate) instanceof Embedding
  const { config } = model
  if (isJsonObject(config) && config.tie_word_embeddings === true && !isEmbedding)
    config.tie_word_embeddings = false
  warn(
    `${file.path} has different values for ${key} and ${other.key}, although its config ties them. Both are used.`,
  )
}
