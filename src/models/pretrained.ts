// Models on disk: Hugging Face's folders.
import { join } from 'node:path'
import { writeFileAtomic } from '../io/atomic.ts'
import { ensureDir } from '../io/ensure-dir.ts'
import { modelFolder } from '../io/hf.ts'
import {
  assertFinite,
  openSafetensors,
  type TensorToWrite,
  writeSafetensors,
} from '../io/safetensors.ts'
import { type LoadOptions, type Module, setValues } from '../nn/index.ts'
import { type Parameter, realize } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Head } from './heads.ts'

/** What a class of models says about itself. */
export interface ModelClass<M extends Module = Module> {
  new (config: never): M
  /** `model_type` of config.json. */
  readonly modelType: string
  /** The class in transformers, for config.json; further names that it opens may follow. */
  readonly architectures: readonly string[]
  readonly head: Head
  /** Below what a checkpoint must have every weight; the rest is this head, which may be new. */
  readonly base?: string
}

export interface LoadModelOptions {
  /** Told the weights that the checkpoint lacks because it has another head: they start anew. */
  onNew?: (names: readonly string[]) => void
}

/** A model of this class with the weights of a folder, switched to evaluation. */
export async function loadModel<M extends Module>(
  Model: ModelClass<M>,
  config: object,
  dir: string,
  { onNew }: LoadModelOptions = {},
): Promise<M> {
  const model = new Model(config as never)
  const { weights } = await modelFolder(dir)
  const { architectures } = config as { architectures?: unknown }
  const own =
    !Array.isArray(architectures) ||
    architectures.some((name) => Model.architectures.includes(name))
  if (own || Model.base === undefined) await loadWeights(model, weights)
  else onNew?.(await loadBelowHead(model, weights, Model.base))
  return model.eval()
}

/** Gives a model the weights of a `.safetensors` file, or of the index of a sharded checkpoint. */
export async function loadWeights(model: Module, path: string): Promise<void> {
  await load(model, path)
}

/** Loads what is below `base`, all of it, and of the rest what fits by name; returns what is missing. */
async function loadBelowHead(model: Module, path: string, base: string): Promise<string[]> {
  const found = new Set(await load(model, path, { strict: false }))
  const missing = model.namedParameters().filter(([, parameter]) => !found.has(parameter))
  const below = missing.map(([name]) => name).filter((name) => name.startsWith(`${base}.`))
  if (below.length === 0) return missing.map(([name]) => name)
  throw new HeedError(
    `${path} lacks ${below.length} weights:\n    ${below.slice(0, 20).join('\n    ')}`,
    {
      remedy: 'Check that the download is complete, and that config.json belongs to it.',
    },
  )
}

async function load(model: Module, path: string, options: LoadOptions = {}): Promise<Parameter[]> {
  const file = await openSafetensors(path)
  try {
    const stored = Object.fromEntries(file.names.map((name) => [name, file.info(name)]))
    const matches = model.matchState(stored, options)
    for (const { key, parameter } of matches) {
      const data = await file.read(key, { as: 'f32' })
      assertFinite(data, key, file.path)
      setValues(parameter, { data, shape: parameter.shape })
    }
    return matches.map(({ parameter }) => parameter)
  } finally {
    await file.close()
  }
}

export interface SaveOptions {
  /** Goes beside the weights, as tokenizer.json. */
  tokenizer?: { save(folder: string): Promise<void> }
}

/** Writes config.json, model.safetensors and tokenizer.json, as transformers reads them. */
export async function savePretrained(
  model: Module,
  dir: string,
  { tokenizer }: SaveOptions = {},
): Promise<void> {
  await ensureDir(dir)
  await saveWeights(model, join(dir, 'model.safetensors'))
  await writeFileAtomic(join(dir, 'config.json'), configJson(model))
  await tokenizer?.save(dir)
}

/** Writes the parameters, each once, as float32. */
export async function saveWeights(model: Module, path: string): Promise<void> {
  const named = model.namedParameters()
  await realize(named.map(([, parameter]) => parameter))
  const tensors = named.map(([name, parameter]): TensorToWrite => {
    const data = async (): Promise<Float32Array> => Float32Array.from(await parameter.data())
    return { name, dtype: 'f32', shape: parameter.shape, data }
  })
  await writeSafetensors(path, tensors, { format: 'pt' })
}

/** The contents of a model's config.json. */
export function configJson(model: Module): string {
  const { modelType, architectures } = model.constructor as unknown as ModelClass
  const config = {
    architectures,
    model_type: modelType,
    torch_dtype: 'float32',
    ...(model.config as object),
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
