// Models on disk: Hugging Face's folders.

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
import { GENERATION_CONFIG } from './generation-config.ts'
import type { Head } from './heads/heads.ts'
import { loadAll, loadBelowHead } from './load-weights.ts'
import { dequantizedWeights } from './quantized-checkpoint.ts'
import { openWeights, type WeightFile, weightsOf } from './weight-file.ts'

/** A class of models with one head. */
export interface ModelClass<M extends Module = Module> {
  new (config: never): M
  /** `model_type` of config.json. */
  readonly modelType: string
  /** The class names in transformers: the first is written to config.json, all open. */
  readonly architectures: readonly string[]
  readonly head: Head
  /**
   * Paths below which a checkpoint must have every weight ('' is the whole model); the rest is the head, which may be
   * new. Left out: there is no such part.
   */
  readonly base?: string | readonly string[]
  /** Paths of the lists of layers, from input to output: `transformer.h`. */
  readonly layerLists?: readonly string[]
}

export interface LoadModelOptions {
  /** Keys that replace those of config.json: other labels, another dropout. */
  config?: Readonly<Record<string, unknown>>
  /** Called with the names of weights that the checkpoint lacks, or has for other labels: they start from random values. */
  onNew?: (names: readonly string[]) => void
  /**
   * Keep quantised weights in their blocks (default): less memory, faster generation. False dequantises them, so that
   * they can be trained and saved; a new head is always dequantised.
   */
  keepBlocks?: boolean
}

/** A model of this class with the weights of a folder or a GGUF file, switched to evaluation. */
export async function loadFolder<M extends Module>(
  Model: ModelClass<M>,
  config: object,
  dir: string,
  { config: other, onNew, keepBlocks = true }: LoadModelOptions = {},
): Promise<M> {
  const model = new Model({ ...config, ...other } as never)
  const { architectures } = config as { architectures?: unknown }
  const own =
    !Array.isArray(architectures) ||
    architectures.some((name) => Model.architectures.includes(name))
  // Beside its base an encoder has nothing that its states need, such as a pooler.
  const apart = Model.head === 'encoder' || Model.head === 'image-features'
  const whole = own && !apart && other === undefined
  const stored = await openWeights(await weightsOf(dir))
  try {
    const file = dequantizedWeights(stored, config)
    const onUnexpected = (names: readonly string[]): void => warnOfUnused(names, file, Model)
    if (whole || Model.base === undefined) await loadAll(model, file, { keepBlocks, onUnexpected })
    else {
      const fresh = await loadBelowHead(model, file, [Model.base].flat(), { onUnexpected })
      if (fresh.length > 0) onNew?.(fresh)
    }
  } finally {
    await stored.close()
  }
  return model.eval()
}

const checkLoadWeights = argumentKinds('loadWeights', { model: 'model', path: 'text' })

/** Gives a model the weights of a `.safetensors` file, or of the index of a sharded checkpoint. */
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

export interface SaveOptions {
  /** What numbers are stored in, rounded to the nearest. Default 'f32', which loses nothing. */
  dtype?: WeightDType
  /** Bytes of weights in one file at most; above that they are cut into shards. Default 5e9. */
  maxShardBytes?: number
  /** Goes beside the weights, as tokenizer.json. */
  tokenizer?: { save(folder: string): Promise<void> }
}

/** As config.json names them. */
export const TORCH_DTYPES = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const

/** What weights can be stored in. */
export type WeightDType = keyof typeof TORCH_DTYPES

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
 * Writes config.json, the weights, generation_config.json and tokenizer.json, as transformers reads them. The weights are
 * replaced in one moment, one tensor at a time is in memory.
 * @throws HeedError that names the tensor with a value too large for f16
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

/** Whether a model keeps settings for generation. */
export const generates = (model: Module): model is Module & { generationConfig: JsonObject } =>
  'generationConfig' in model

const checkSaveWeights = argumentKinds('saveWeights', { model: 'model', path: 'text' })

/** Writes parameters and buffers, each once, as float32 in one file. */
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

/** The contents of a model's config.json. @throws HeedError for a module without a `model_type` */
export function configJson(model: Module, dtype: WeightDType = 'f32'): string {
  checkArgument('configJson', 'model', model, 'model')
  checkDType(dtype)
  const { modelType, architectures } = model.constructor as unknown as ModelClass
  if (typeof modelType !== 'string')
    throw invalidOption({
      key: 'model',
      value: model,
      expected: 'a model of heed/models, or of a class with a static `modelType`',
      remedy: 'Save other modules with saveModel.',
    })
  const config = {
    architectures,
    model_type: modelType,
    torch_dtype: TORCH_DTYPES[dtype],
    ...(model.config as object),
  }
  return `${JSON.stringify(config, null, 2).replace(WHOLE_FLOATS, '$1.0')}\n`
}

/** transformers refuses 1 where it wants 1.0. */
const WHOLE_FLOATS =
  /("(?:initializer_factor|initializer_range|init_std|layer_norm_eps|layer_norm_epsilon)": \d+)(?=,?$)/gm
