import { EncoderDecoderCache } from '../../nn/index.ts'
import { type Tensor, zeros } from '../../tensor/index.ts'
import { HeedError, ShapeError } from '../../util/errors.ts'

export interface RecurrentCacheShape {
  /** How many target tokens may be written: the memory does not depend on it. */
  capacity: number
  sourceLength: number
  batch?: number
  /** Of the decoder's state. */
  rows: number
  /** Of the source that are kept for attention. */
  states: number
  hiddenSize: number
}

/** What a recurrent decoder remembers: its state, and what the encoder has made of the source. */
export class RecurrentCache extends EncoderDecoderCache {
  readonly state: Tensor // (B, rows, H)
  readonly held: Tensor // (B, rows + states, H)

  constructor({ rows, states, hiddenSize, ...room }: RecurrentCacheShape) {
    super({ layers: 0, heads: 1, headDim: 1, ...room })
    const { batch = 1 } = room
    this.state = zeros([batch, rows, hiddenSize])
    this.held = zeros([batch, rows + states, hiddenSize])
    this.state.becomeState()
    this.held.becomeState()
  }

  /** Takes another source in place of the one before. */
  hold(encoded: Tensor): void {
    if (encoded.shape.join() !== this.held.shape.join())
      throw new ShapeError(`The cache is for a source of shape (${this.held.shape.join(', ')})`, {
        remedy: `This one is (${encoded.shape.join(', ')}): create the cache with its length and batch.`,
      })
    this.held.assign(encoded)
  }

  goOn(state: Tensor): void {
    this.state.assign(state)
  }

  override reorder(order: Tensor): void {
    this.state.assign(this.state.take(order, 0))
  }

  override takeOver(smaller: EncoderDecoderCache): void {
    super.takeOver(smaller)
    if (!(smaller instanceof RecurrentCache)) return
    this.state.assign(smaller.state)
    this.held.assign(smaller.held)
  }

  /** @throws HeedError: a state of earlier tokens is gone */
  override rewind(length: number): void {
    if (length !== this.length)
      throw new HeedError(
        'invalid-config',
        `A recurrent state of ${this.length} tokens cannot go back to ${length}`,
      )
  }
}
