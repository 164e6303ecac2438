// Reads and writes models in Hugging Face's folder layout.

import { join } from 'node:path'
import { writeFileAtomic } from '../io/files/atomic.ts'
import type { JsonObject } from '../io/files/json.ts'
import { tensorsToWrite } from '../io/safetensors/from-tensors.ts'
import { saveSafetensors, writeSafetensors } from '../io/safetensors/safetensors.ts'
import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { listNames, warn } from '../util/warn.ts'
import type { AdapterFactors } from './folder-kinds.ts'
import { GENERATION_CONFIG } from './generation-config.ts'
import type { Head } from './heads/heads.ts'
import { loadAll, loadBelowHead } from './load-weights.ts'
import { dequantizedWeights } from './quantized-checkpoint.ts'
import { resizeTokenEmbeddings } from './resize-embeddings.ts'
import { openWeights, type WeightFile, weightsOf } from './weight-file.ts'

/** A model class with one head. */
export interface ModelClass<M extends Module = Module> {
  /** Creates a model with new weights from the keys of config.json. */
  new (config: never): M
  /** `model_type` of config.json. */
  readonly modelType: string
  /** Class names in transformers. The first one is written to config.json; all are accepted when opening. */
  readonly architectures: readonly string[]
  /** Name of the head. */
  readonly head: Head
  /**
   * Paths below which a checkpoint must have every weight ('' is the whole model). Other weights belong to the head and
   * may be new. Omitted if all weights are required.
   */
  readonly base?: string | readonly string[]
  /** Paths of the lists of layers, from input to output, such as `transformer.h`. */
  readonly layerLists?: readonly string[]
}

/** Options of `fromPretrained`. */
export interface LoadModelOptions {
  /**
   * Config keys that override those of config.json, such as labels or dropout. A larger `vocab_size` adds tokens, as
   * `resizeTokenEmbeddings` does.
   */
  config?: Readonly<Record<string, unknown>>
  /**
   * Called with the names of weights that are missing in the checkpoint or belong to other labels. They are initialised
   * randomly.
   */
  onNew?: (names: readonly string[]) => void
  /** Called with the names of weights of the checkpoint that the model does not use. Default: prints a warning. */
  onUnused?: (names: readonly string[]) => void
  /**
   * Whether to keep quantised weights in their blocks, for less memory and faster generation. If false, they are
   * dequantised, so that they can be trained and saved. A new head is always dequantised. Default true.
   */
  keepBlocks?: boolean
  /** For the folder of an adapter: where its base is now. Default: where it was when the adapter was trained. */
  base?: string
  /** Adapters to attach, as by `loadAdapters` of heed/adapt: their folders, or factors by folder. Default: none. */
  adapters?: AdapterFactors
}

/** The options of functions that open a model for prediction. */
export type AdaptedModelOptions = Pick<LoadModelOptions, 'base' | 'adapters'>

/** Kinds of `AdaptedModelOptions`. */
export const ADAPTED = { base: 'text?', adapters: 'factors?' } as const

/** Creates a model of this class with the weights of a folder or GGUF file, in evaluation mode. */
export async function loadFolder<M extends Module>(
  Model: ModelClass<M>,
  config: object,
  dir: string,
  { config: other, onNew, onUnused, keepBlocks = true }: LoadModelOptions = {},
): Promise<M> {
  const tokens = addedTokens(config, other)
  const model = new Model({ ...config, ...other, ...tokens?.before } as never)
  const { architectures } = config as { architectures?: unknown }
  const own =
    !Array.isArray(architectures) ||
    architectures.some((name) => Model.architectures.includes(name))
  // An encoder's class has only the base. Other parts, such as a pooler, do not affect its hidden states.
  const apart = Model.head === 'encoder' || Model.head === 'image-features'
  const whole = own && !apart && other === undefined
  const fresh: string[] = []
  const stored = await openWeights(await weightsOf(dir))
  try {
    const file = dequantizedWeights(stored, config)
    const onUnexpected = onUnused ?? ((names) => warnOfUnused(names, file, Model))
    if (whole || Model.base === undefined) await loadAll(model, file, { keepBlocks, onUnexpected })
    else {
      const bases = [Model.base].flat()
      fresh.push(...(await loadBelowHead(model, file, bases, { keepBlocks, onUnexpected })))
    }
  } finally {
    await stored.close()
  }
  if (tokens) fresh.push(...(await resizeTokenEmbeddings(model, tokens.size)))
  if (fresh.length > 0) onNew?.(fresh)
  return model.eval()
}

/** The number of tokens of the checkpoint and the larger one asked for; undefined if there is none. */
function addedTokens(
  config: object,
  other: object | undefined,
): { before: { vocab_size: number }; size: number } | undefined {
  const { vocab_size: before } = Object(config)
  const { vocab_size: size } = Object(other)
  const isLarger = typeof before === 'number' && typeof size === 'number' && size > before
  return isLarger ? { before: { vocab_size: before }, size } : undefined
}

const checkLoadWeights = argumentKinds('loadWeights', { model: 'model', path: 'text' })

/**
 * Loads the weights of a `.safetensors` file, or of a sharded checkpoint's index, into a model. @throws HeedError if
 * they do not fit
 */
export async function loadWeights(model: Module, path: string): Promise<void> {
  checkLoadWeights(model, path)
  const file = await openWeights(path)
  try {
    await loadAll(model, file)
  } finally {
    await file.close()
  }
}

function warnOfUnused(names: readonly string[], { path }: WeightFile, { name }: ModelClass): void {
  const count = names.length === 1 ? '1 weight' : `${names.length} weights`
  warn(`${path} has ${count} that ${name} does not use: ${listNames(names)}.`)
}

/** Options of `savePretrained`. */
export interface SaveOptions {
  /** Data type of the stored weights. Numbers are rounded to nearest. Default 'f32', which is lossless. */
  dtype?: WeightDType
  /** Maximum number of bytes of weights in one file. Larger models are split into shards. Default 5e9. */
  maxShardBytes?: number
  /** Tokenizer to save with the weights, as tokenizer.json. */
  tokenizer?: { save(folder: string): Promise<void> }
}

/** Names of dtypes in config.json. */
export const TORCH_DTYPES = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const

/**
 * Data type of stored weights.
 * @useDeclaredType
 */
export type WeightDType = keyof typeof TORCH_DTYPES

/** All data types of stored weights. */
export const weightDTypes = Object.keys(TORCH_DTYPES) as WeightDType[]

const checkSavePretrained = argumentKinds('savePretrained', {
  model: 'model',
  dir: 'text',
  options: optionKinds<SaveOptions>({
    dtype: 'text?',
    maxShardBytes: 'number?',
    tokenizer: 'object?',
  }),
})

/**
 * Saves a model as transformers reads it: config.json, weights, generation_config.json and, if given, the tokenizer.
 * The weights are replaced atomically. Only one tensor at a time is in memory.
 * @throws HeedError for a module that is not a model of a family, and for a value too large for f16, with the name of
 * its tensor
 */
export async function savePretrained(
  model: Module,
  dir: string,
  options: SaveOptions = {},
): Promise<void> {
  checkSavePretrained(model, dir, options)
  const { dtype = 'f32', maxShardBytes, tokenizer } = options
  checkDType(dtype)
  await saveSafetensors(dir, await tensorsToWrite(model.stateDict(), dtype), { maxShardBytes })
  await writeFileAtomic(join(dir, 'config.json'), configJson(model, dtype))
  await saveGenerationConfig(model, dir)
  await tokenizer?.save(dir)
}

async function saveGenerationConfig(model: Module, dir: string): Promise<void> {
  if (!generates(model) || Object.keys(model.generationConfig).length === 0) return
  const json = JSON.stringify(model.generationConfig, null, 2)
  await writeFileAtomic(join(dir, GENERATION_CONFIG), `${json}\n`)
}

/** Whether a model has settings for generation. */
export const generates = (model: Module): model is Module & { generationConfig: JsonObject } =>
  'generationConfig' in model

const checkSaveWeights = argumentKinds('saveWeights', { model: 'model', path: 'text' })

/** Saves each parameter and buffer once, as float32 in one safetensors file. */
export async function saveWeights(model: Module, path: string): Promise<void> {
  checkSaveWeights(model, path)
  await writeSafetensors(path, await tensorsToWrite(model.stateDict()), { format: 'pt' })
}

function checkDType(dtype: string): void {
  if (typeof dtype === 'string' && Object.hasOwn(TORCH_DTYPES, dtype)) return
  throw invalidOption({
    key: 'dtype',
    value: dtype,
    expected: `one of ${weightDTypes.join(', ')}`,
    try: { dtype: weightDTypes },
  })
}

/** Returns the content of a model's config.json. @throws HeedError for a module without a `model_type` */
export function configJson(model: Module, dtype: WeightDType = 'f32'): string {
  checkArgument('configJson', 'model', model, 'model')
  checkDType(dtype)
  const { modelType, architectures } = model.constructor as unknown as ModelClass
  if (typeof modelType !== 'string')
    throw invalidOption({
      key: 'model',
      value: model,
      expected: 'a model of heed/models, or of a class with a static `modelType`',
      remedy: 'Save other modules with saveModel().',
    })
  const config = {
    architectures,
    model_type: modelType,
    torch_dtype: TORCH_DTYPES[dtype],
    ...(model.config as object),
  }
  return `${JSON.stringify(config, null, 2).replace(WHOLE_FLOATS, '$1.0')}\n`
}

/** Floats that must be written as 1.0, because transformers rejects 1. */
const WHOLE_FLOATS =
  /("(?:initializer_factor|initializer_range|init_std|layer_norm_eps|layer_norm_epsilon)": \d+)(?=,?$)/gm
