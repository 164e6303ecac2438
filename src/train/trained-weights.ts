// What a run trains and saves: the whole model, or an adapter of it.
import { join } from 'node:path'
import type { Adapter, AdapterBase } from '../adapt/index.ts'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { configJson, loadWeights, type SaveOptions, savePretrained, saveWeights } from '../models/index.ts' // biome-ignore format: one line
import { Module } from '../nn/index.ts'
import { checkModule } from '../nn/module.ts'

/** The trained weights of a run, and how they are stored. */
export interface TrainedWeights {
  /** The module with the trained parameters, which the optimizer updates. */
  readonly module: Module
  /** Name of the file of weights, in the run folder and in checkpoints. */
  readonly file: string
  /** Further files of checkpoints, by name: weights that only training needs. */
  readonly further?: Readonly<
    Record<string, { write(path: string): Promise<void>; read(path: string): Promise<void> }>
  >
  /** Writes the weights to a file. */
  write(path: string): Promise<void>
  /** Reads the weights of a file that `write` has written. */
  read(path: string): Promise<void>
  /** Writes the files, other than the weights, that are needed to open the model. */
  describe(dir: string): Promise<void>
  /** Writes all that is needed to open the model to another folder. */
  save(dir: string, tokenizer: NonNullable<SaveOptions['tokenizer']>): Promise<void>
}

/** All weights of a model. */
export function wholeModel(model: Module): TrainedWeights {
  checkModule('wholeModel', model)
  return {
    module: model,
    file: 'model.safetensors',
    write: (path) => saveWeights(model, path),
    read: (path) => loadWeights(model, path),
    describe: (dir) => writeFileAtomic(join(dir, 'config.json'), configJson(model)),
    save: (dir, tokenizer) => savePretrained(model, dir, { tokenizer }),
  }
}

/** An adapter of a model, whose other weights stay in the base. */
export function adapterOnly(model: Module, adapter: Adapter, base: AdapterBase): TrainedWeights {
  const file = 'adapter_model.safetensors'
  const describe = async (dir: string): Promise<void> => {
    await writeFileAtomic(join(dir, 'config.json'), configJson(model))
    await adapter.saveConfig(dir, { base: base.path })
  }
  return {
    module: adapter,
    file,
    write: (path) => adapter.saveWeights(path),
    // Files have what a network computes, not its weights.
    ...(adapter.hasEncoder
      ? {
          read: async () => {},
          further: {
            'adapter_training.safetensors': {
              write: (path) => saveWeights(adapter, path),
              read: (path) => loadWeights(adapter, path),
            },
          },
        }
      : { read: (path) => adapter.loadWeights(path) }),
    describe,
    async save(dir, tokenizer) {
      await ensureDir(dir)
      await adapter.saveWeights(join(dir, file))
      await describe(dir)
      await tokenizer.save(dir)
    },
  }
}

/** Weights with layers that only training needs, which checkpoints have in another file. */
export function withLayers(weights: TrainedWeights, file: string, layers: Module): TrainedWeights {
  return {
    ...weights,
    module: new WithLayers(weights.module, layers),
    further: {
      ...weights.further,
      [file]: {
        write: (path) => saveWeights(layers, path),
        read: (path) => loadWeights(layers, path),
      },
    },
  }
}

/** A model with layers that only training needs. */
class WithLayers extends Module {
  readonly model: Module
  readonly layers: Module

  constructor(model: Module, layers: Module) {
    super()
    this.model = model
    this.layers = layers
  }

  forward(): never {
    throw new Error('only its parameters are used')
  }
}
