// Layers with weights in quantised blocks, an eighth to a quarter of the size of f32. Reading weights dominates the
// time of text generation. These weights cannot be trained, but gradients flow through them to their inputs.

import { checkOptionalTensors } from '../tensor/arguments.ts'
import { F, type Parameter, type Tensor, tensor } from '../tensor/index.ts'
import { type BlockFormat, blockBytes } from '../util/block-formats.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkModule, Module } from './module.ts'

/** A quantised matrix in GGUF's block format. `shape` counts numbers, not bytes. */
export interface QuantizedWeight {
  /** Block format of the data, such as `q8_0`. */
  format: BlockFormat
  /** Rows and columns, in numbers. */
  shape: readonly [rows: number, columns: number]
  /** The rows in order, each a whole number of blocks. Used without a copy. */
  data: Uint8Array
}

const BLOCKS = optionKinds<QuantizedWeight>({ format: 'text', shape: 'numbers', data: 'numbers' })

/** A quantised matrix on the device. Several modules can share it. */
export class Blocks {
  /** Block format of the bytes, such as `q8_0`. */
  readonly format: BlockFormat
  /** Rows and columns, in numbers. */
  readonly shape: readonly [rows: number, columns: number]
  /** u8 (rows, bytes per row). */
  readonly bytes: Tensor

  /** @throws ShapeError if the length of the data does not match the shape */
  constructor(weight: QuantizedWeight) {
    BLOCKS.check('Blocks', weight)
    const { format, shape, data } = weight
    const [rows, columns] = shape
    const width = blockBytes(format, columns)
    if (data.length !== rows * width)
      throw new ShapeError(
        `A matrix (${rows}, ${columns}) in ${format} must have ${rows * width} bytes, got ${data.length}`,
      )
    this.format = format
    this.shape = [rows, columns]
    this.bytes = tensor(data).reshape([rows, width])
    this.bytes.becomeState()
  }
}

/** Linear layer with a quantised weight: y = x·Wᵀ + b, with W (out, in). */
export class QuantizedLinear extends Module {
  /** The quantised matrix, (out, in). */
  readonly weight: Blocks
  /** f32 (out), or null. */
  bias: Parameter | null
  override readonly unsaved: string

  /** Creates a layer with a stored weight, or with one that another module uses, too. */
  constructor(weight: QuantizedWeight | Blocks, bias: Parameter | null = null) {
    super()
    checkOptionalTensors('QuantizedLinear', { bias })
    this.weight = weight instanceof Blocks ? weight : new Blocks(weight)
    this.bias = bias
    this.unsaved = this.weight.format
  }

  forward(x: Tensor): Tensor {
    return F.linearQuantized(x, this.weight.bytes, this.weight.format, this.bias)
  }

  /**
   * Returns the mean cross-entropy of the layer's outputs with class indices, without all outputs in memory (see
   * `F.linearCrossEntropy`). A layer with a bias or with hooks computes its outputs.
   * @param x f32 (..., in)
   * @param target class indices (...); -100 is ignored
   */
  crossEntropy(x: Tensor, target: Tensor): Tensor {
    if (this.bias || this.isHooked) return F.crossEntropy(this.forward(x), target)
    return this.named(() => F.linearCrossEntropy(x, this.weight, target))
  }
}

/**
 * Embedding with a quantised table (count, size), which dequantises only the rows it looks up: i32 (...) -> f32 (...,
 * size).
 */
export class QuantizedEmbedding extends Module {
  /** The quantised table, (count, size). */
  readonly weight: Blocks
  override readonly unsaved: string

  /** Creates a layer with a stored table, or with one that another module uses, too. */
  constructor(weight: QuantizedWeight | Blocks) {
    super()
    this.weight = weight instanceof Blocks ? weight : new Blocks(weight)
    this.unsaved = this.weight.format
  }

  forward(ids: Tensor): Tensor {
    return F.dequantize(F.embedding(ids, this.weight.bytes), this.weight.format)
  }
}

/** Number of weights of a model, in parameters and in quantised blocks. Shared ones are counted once. */
export function countWeights(model: Module): number {
  checkModule('countWeights', model)
  const modules = model.namedModules().map(([, module]) => module)
  const isQuantized = (layer: Module): layer is QuantizedLinear | QuantizedEmbedding =>
    layer instanceof QuantizedLinear || layer instanceof QuantizedEmbedding
  const blocks = new Set(modules.filter(isQuantized).map(({ weight }) => weight))
  const inBlocks = [...blocks].reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0)
  return model.parameters().reduce((sum, parameter) => sum + parameter.size, inBlocks)
}
