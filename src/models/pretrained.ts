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
import { type Module, setValues } from '../nn/index.ts'
import { realize } from '../tensor/index.ts'

/** What a class of models says about itself. */
export interface ModelClass<M extends Module = Module> {
  new (config: never): M
  /** `model_type` of config.json. */
  readonly modelType: string
  /** The class in transformers, for config.json. */
  readonly architectures: readonly string[]
}

/** A model of this class with the weights of a folder, switched to evaluation. */
export async function loadModel<M extends Module>(
  Model: ModelClass<M>,
  config: object,
  dir: string,
): Promise<M> {
  const model = new Model(config as never)
  const { weights } = await modelFolder(dir)
  await loadWeights(model, weights)
  return model.eval()
}

/** Gives a model the weights of a `.safetensors` file, or of the index of a sharded checkpoint. */
export async function loadWeights(model: Module, path: string): Promise<void> {
  const file = await openSafetensors(path)
  try {
    const stored = Object.fromEntries(file.names.map((name) => [name, file.info(name)]))
    for (const { key, parameter } of model.matchState(stored)) {
      const data = await file.read(key, { as: 'f32' })
      assertFinite(data, key, file.path)
      setValues(parameter, { data, shape: parameter.shape })
    }
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
