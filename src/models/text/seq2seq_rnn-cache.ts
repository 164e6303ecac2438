import { EncoderDecoderCache } from '../../nn/index.ts'
import { type Tensor, zeros } from '../../tensor/index.ts'
import { HeedError, ShapeError } from '../../util/errors.ts'

/** Sizes of a recurrent cache. */
export interface RecurrentCacheSize {
  /** Maximum number of target tokens. The memory does not depend on it. */
  capacity: number
  sourceLength: number
  batch?: number
  /** Number of rows of the decoder's state. */
  rows: number
  /** Number of source states that attention needs. */
  states: number
  hiddenSize: number
}

/** The state of a recurrent decoder, and the encoded source. */
export class RecurrentCache extends EncoderDecoderCache {
  readonly state: Tensor // (B, rows, H)
  readonly encoded: Tensor // (B, rows + states, H)

  constructor({ rows, states, hiddenSize, ...size }: RecurrentCacheSize) {
    super({ layers: 0, heads: 1, headDim: 1, ...size })
    const { batch = 1 } = size
    this.state = zeros([batch, rows, hiddenSize])
    this.encoded = zeros([batch, rows + states, hiddenSize])
    this.state.becomeState()
    this.encoded.becomeState()
  }

  /** Replaces the source. @throws ShapeError for another shape */
  setSource(encoded: Tensor): void {
    if (encoded.shape.join() !== this.encoded.shape.join())
      throw new ShapeError(
        `The encoded source must be (${this.encoded.shape.join(', ')}) for this cache, got (${encoded.shape.join(', ')})`,
        { remedy: "Create the cache with the source's length and batch size." },
      )
    this.encoded.assign(encoded)
  }

  /** Stores the state after the newest token. */
  setState(state: Tensor): void {
    this.state.assign(state)
  }

  override reorder(order: Tensor): void {
    this.state.assign(this.state.take(order, 0))
  }

  override takeOver(smaller: EncoderDecoderCache): void {
    super.takeOver(smaller)
    if (!(smaller instanceof RecurrentCache)) return
    this.state.assign(smaller.state)
    this.encoded.assign(smaller.encoded)
  }

  /** @throws HeedError for another length, because the states of earlier tokens are not stored */
  override rewind(length: number): void {
    if (length !== this.length)
      throw new HeedError(
        'unsupported',
        `A recurrent cache must keep all its ${this.length} tokens, got rewind(${length})`,
        { remedy: 'Create a new cache and decode the tokens again.' },
      )
  }
}
