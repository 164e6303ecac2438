import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of `Embedding`. */
export interface EmbeddingOptions {
  /** Standard deviation of the initial values. Default 1. */
  std?: number
  /** Padding id. Its row gets no gradient. */
  paddingIndex?: number | null
}

const EMBEDDING = optionKinds<EmbeddingOptions>({ std: 'number?', paddingIndex: 'integer|null?' })

/** A table of `count` vectors, looked up by id: i32 (...) -> f32 (..., size). */
export class Embedding extends Module {
  /** (count, size). */
  weight: Parameter
  /** Id whose row gets no gradient; undefined if there is none. */
  readonly paddingIndex: number | undefined = undefined

  /** Creates a table of `count` vectors of `size` features, with normal initial values. */
  constructor(count: number, size: number, options: EmbeddingOptions = {}) {
    super()
    EMBEDDING.check('Embedding', options)
    checkArguments('Embedding', { count, size }, 'size')
    const { std = 1, paddingIndex } = options
    this.weight = new Parameter(init.normal([count, size], std))
    // As in PyTorch, negative ids count from the end.
    if (paddingIndex !== null && paddingIndex !== undefined)
      this.paddingIndex = paddingIndex < 0 ? paddingIndex + count : paddingIndex
  }

  forward(ids: Tensor): Tensor {
    return F.embedding(ids, this.weight, { paddingIndex: this.paddingIndex })
  }
}
