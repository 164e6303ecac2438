// Quantises a model's weights to blocks of 8 or 4 bits, in place.
import type { Parameter } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { blockLayouts } from '../util/block-formats.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optional, optionKinds } from '../util/options.ts'
import { type QuantizeFormat, quantizeBlocks, quantizeFormats } from '../util/quantize-blocks.ts'
import { Conv1D } from './conv1d.ts'
import { Embedding } from './embedding.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'
import { Blocks, QuantizedEmbedding, QuantizedLinear } from './quantized.ts'
import { isReplaceable, replaceFields } from './replace-weights.ts'

/** Options of `quantize`. */
export interface QuantizeOptions {
  /** Modules whose weights are kept, such as a head that is trained. Layers that share these weights keep them as well. */
  keep?: readonly Module[]
}

const isModule = (value: unknown): value is Module => value instanceof Module

const checkQuantize = argumentKinds('quantize', {
  model: { expected: 'a Module', fits: isModule },
  format: 'any',
  options: optionKinds<QuantizeOptions>({
    keep: optional({
      expected: 'an array of modules',
      fits: (value) => Array.isArray(value) && value.every(isModule),
    }),
  }),
})

/**
 * Replaces a model's Linear and Conv1D layers with layers whose weights are quantised to blocks, and embeddings that
 * share such a weight. Other embeddings are kept, because only the rows that are looked up are read. Weights whose rows
 * are not a multiple of the block size are kept as well.
 *
 * Generation reads all weights for each token, so smaller weights make it faster. q8_0 uses 8.5 bits per weight and
 * hardly changes the results; q4_0 uses 4.5 bits and q4_1 5.
 * @returns the names of the replaced layers
 * @throws HeedError if no layer can be quantised, or a weight is not finite
 */
export async function quantize(
  model: Module,
  format: QuantizeFormat,
  options: QuantizeOptions = {},
): Promise<string[]> {
  checkQuantize(model, format, options)
  if (!quantizeFormats.includes(format))
    throw invalidOption({
      key: 'format',
      value: format,
      expected: 'a format that Heed can write',
      try: { format: quantizeFormats },
    })
  const layers = model.namedModules()
  checkHooks(layers)
  const kept = new Set((options.keep ?? []).flatMap((module) => module.parameters()))
  const shared = new Map<Parameter, Blocks>()
  const replaced = new Map<Module, Module>()
  for (const [name, layer] of layers) {
    if (!(layer instanceof Linear || layer instanceof Conv1D) || kept.has(layer.weight)) continue
    const blocks = shared.get(layer.weight) ?? (await blocksOf(layer, format, name))
    if (!blocks) continue
    if (layer instanceof Linear) shared.set(layer.weight, blocks)
    replaced.set(layer, new QuantizedLinear(blocks, layer.bias).train(layer.training))
  }
  for (const [, layer] of layers) {
    const blocks = layer instanceof Embedding && shared.get(layer.weight)
    if (blocks) replaced.set(layer, new QuantizedEmbedding(blocks).train(layer.training))
  }
  if (replaced.size === 0)
    throw new HeedError(
      'unsupported',
      `The model must have layers that can be quantised to ${format}, got none in ${model.constructor.name}`,
      {
        remedy: `Only Linear and Conv1D layers with a multiple of ${blockLayouts[format].numbers} inputs can be quantised.`,
      },
    )
  for (const [, module] of layers) replaceFields(module, replaced)
  return layers.filter(([, layer]) => replaced.has(layer)).map(([name]) => name)
}

/** The layers that replace others do not have their hooks, so that adapters would silently have no effect. */
function checkHooks(layers: readonly [string, Module][]): void {
  const hooked = layers.find(([, layer]) => layer.isHooked && isReplaceable(layer))
  if (hooked)
    throw new HeedError('invalid-state', `A model must be quantized before hooks and adapters are added, got one on ${hooked[0] || 'the model'}`, {
      key: 'model',
      value: hooked[0],
      remedy: 'Merge its adapters with mergeAdapters(), or add them after quantize().',
    }) // biome-ignore format: one line
}

/** The layer's weight (out, in) in blocks; null if its rows are not a multiple of the block size. */
async function blocksOf(
  layer: Linear | Conv1D,
  format: QuantizeFormat,
  name: string,
): Promise<Blocks | null> {
  const weight = layer instanceof Conv1D ? layer.weight.detach().t() : layer.weight
  const [rows, columns] = weight.shape
  if (columns % blockLayouts[format].numbers !== 0) return null
  const values = Float32Array.from(await weight.data())
  try {
    return new Blocks({ format, shape: [rows, columns], data: quantizeBlocks(format, values) })
  } catch (cause) {
    if (!(cause instanceof HeedError)) throw cause
    const { code, message, details, remedy } = cause
    throw new HeedError(code, `${name}.weight: ${message}`, { ...details, remedy, cause })
  }
}
