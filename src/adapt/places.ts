// The layers that adapters can be attached to, and what adapters need to know about each kind.
import { type AdapterTargets, type ModelClass, modelDefinition } from '../models/index.ts'
import {
  Blocks,
  Conv1D,
  Embedding,
  Linear,
  type Module,
  QuantizedEmbedding,
  QuantizedLinear,
} from '../nn/index.ts'
import { F, type Parameter, type Tensor } from '../tensor/index.ts'

/** A layer with a weight matrix, seen the same way whatever its class. */
export interface Place {
  /** Path of the layer in the model. */
  readonly path: string
  /** Path of the layer in transformers, which peft's files have. */
  readonly peftPath: string
  /** The layer itself. */
  readonly layer: Module
  /** Whether the layer multiplies by its weight or looks rows up in it. */
  readonly kind: 'linear' | 'embedding'
  /** Width of the input: the number of rows of the table for an embedding. */
  readonly inputs: number
  /** Width of the output. */
  readonly outputs: number
  /** The layer's bias, f32 (outputs), or null. */
  readonly bias: Parameter | null
  /** The weight as (outputs, inputs), or the table (inputs, outputs) of an embedding. Quantised weights are dequantised. */
  weight(): Tensor
  /** The parameter with the weight; null if it is quantised. */
  readonly parameter: Parameter | null
  /** Whether the parameter is the transpose of `weight()`. */
  readonly transposed: boolean
}

/** Returns every layer of the model that an adapter can be attached to, each once. */
export function placesIn(model: Module): Place[] {
  return model.namedModules().flatMap(([path, layer]) => {
    const weight = path === '' ? null : weightOf(layer)
    return weight ? [{ path, peftPath: peftPath(model, path), layer, ...weight }] : []
  })
}

/** The path of a module in peft's files. */
export function peftPath(model: Module, path: string): string {
  const names = adapterTargetsOf(model)?.peftNames ?? []
  return names.reduce((name, [from, to]) => name.replace(from, to), path)
}

/** What the family of a model declares for adapters; null for models without. */
export function adapterTargetsOf(model: Module): AdapterTargets | null {
  const { modelType } = classOf(model)
  return (modelType === undefined ? null : modelDefinition(modelType).adapterTargets) ?? null
}

/** The model's class, which may be any module. */
export const classOf = (model: Module): Partial<ModelClass> => Object(model.constructor)

/** The weight of a layer. */
export type Weight = Omit<Place, 'path' | 'peftPath' | 'layer'>

/** The one place that knows the classes of layers. Others can be added here. */
export function weightOf(layer: Module): Weight | null {
  if (layer instanceof Linear) return linear(layer.weight, layer.weight, layer.bias)
  if (layer instanceof Conv1D) {
    const { weight: parameter, bias } = layer
    const [inputs, outputs] = parameter.shape
    return { kind: 'linear', inputs, outputs, bias, weight: () => parameter.t(), parameter, transposed: true } // biome-ignore format: one line
  }
  if (layer instanceof Embedding) return table(layer.weight, layer.weight)
  if (layer instanceof QuantizedLinear) return linear(layer.weight, null, layer.bias)
  if (layer instanceof QuantizedEmbedding) return table(layer.weight, null)
  return null
}

function linear(
  matrix: Parameter | Blocks,
  parameter: Parameter | null,
  bias: Parameter | null,
): Weight {
  const [outputs, inputs] = matrix.shape
  return { kind: 'linear', inputs, outputs, bias, weight: () => numbersOf(matrix), parameter, transposed: false } // biome-ignore format: one line
}

function table(matrix: Parameter | Blocks, parameter: Parameter | null): Weight {
  const [inputs, outputs] = matrix.shape
  return { kind: 'embedding', inputs, outputs, bias: null, weight: () => numbersOf(matrix), parameter, transposed: false } // biome-ignore format: one line
}

const numbersOf = (matrix: Parameter | Blocks): Tensor =>
  matrix instanceof Blocks ? F.dequantize(matrix.bytes, matrix.format) : matrix
