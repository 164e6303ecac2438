// Layers whose weights are numbers in blocks: a quarter to an eighth of f32's bytes, which is what
// generating text spends its time on. They are not trained; what is in front of them may be.

import { checkOptionalTensors } from '../tensor/arguments.ts'
import { F, type Parameter, type Tensor, tensor } from '../tensor/index.ts'
import { type BlockFormat, blockBytes } from '../util/block-formats.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { Module } from './module.ts'

/** A matrix of `shape` (rows, numbers in a row), in GGUF's blocks. */
export interface QuantizedWeight {
  format: BlockFormat
  shape: readonly [rows: number, columns: number]
  /** The rows one after the other, each of whole blocks; taken, not copied. */
  data: Uint8Array
}

const BLOCKS = optionKinds<QuantizedWeight>({ format: 'text', shape: 'numbers', data: 'numbers' })

/** The matrix on a device: one may serve several modules. */
export class Blocks {
  readonly format: BlockFormat
  readonly shape: readonly [rows: number, columns: number]
  /** u8 (rows, bytes of a row). */
  readonly bytes: Tensor

  /** @throws HeedError when the data are not as long as the shape says */
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

/** y = x·Wᵀ + b, with W (out, in) in blocks. */
export class QuantizedLinear extends Module {
  readonly weight: Blocks
  bias: Parameter | null
  override readonly unsaved: string

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
}

/** One row of W (count, size), kept in blocks, for each id: (...) i32 -> (..., size). */
export class QuantizedEmbedding extends Module {
  readonly weight: Blocks
  override readonly unsaved: string

  constructor(weight: QuantizedWeight | Blocks) {
    super()
    this.weight = weight instanceof Blocks ? weight : new Blocks(weight)
    this.unsaved = this.weight.format
  }

  forward(ids: Tensor): Tensor {
    return F.dequantize(F.embedding(ids, this.weight.bytes), this.weight.format)
  }
}
