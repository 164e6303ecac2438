import { checkTensors } from '../tensor/arguments.ts'
import { type Tensor, zeros } from '../tensor/index.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { KVCache, type KVCacheShape } from './kv-cache.ts'

export interface EncoderDecoderCacheShape extends KVCacheShape {
  /** How many tokens the source has, padding included. */
  sourceLength: number
}

const CACHE = optionKinds<EncoderDecoderCacheShape>({
  layers: 'count',
  heads: 'size',
  headDim: 'size',
  capacity: 'size',
  batch: 'size?',
  sourceLength: 'count',
})

/**
 * A decoder's memory: of the tokens before, and for each layer of the source, whose keys and values
 * are computed once and stay the same for all tokens.
 */
export class EncoderDecoderCache extends KVCache {
  readonly cross: readonly CrossCache[]

  constructor(shapes: EncoderDecoderCacheShape) {
    CACHE.check('EncoderDecoderCache', shapes)
    const { sourceLength, ...shape } = shapes
    super(shape)
    const { layers, heads, headDim, batch = 1 } = shape
    const places = [batch, heads, sourceLength, headDim]
    this.cross = Array.from({ length: layers }, () => new CrossCache(places))
  }

  /** Goes on from what a smaller cache of the same texts holds. */
  takeOver(smaller: EncoderDecoderCache): void {
    for (const [i, { keys, values }] of smaller.layers.entries()) {
      this.layers[i].keys.assignAt(keys, 0, 2)
      this.layers[i].values.assignAt(values, 0, 2)
    }
    for (const [i, { keys, values }] of smaller.cross.entries()) this.cross[i].replace(keys, values)
    this.reset()
    this.advance(smaller.length)
  }
}

/** One layer's keys and values of the source. */
export class CrossCache {
  readonly keys: Tensor // (B, H, S, D)
  readonly values: Tensor

  constructor(shape: readonly number[]) {
    this.keys = zeros(shape)
    this.values = zeros(shape)
    this.keys.becomeState()
    this.values.becomeState()
  }

  /** Replaces the keys and values by those of another source (B, H, S, D). */
  replace(k: Tensor, v: Tensor): void {
    checkTensors('CrossCache.replace', { k, v })
    if (k.shape.join() !== this.keys.shape.join())
      throw new ShapeError(
        `The source must have the shape of the cache (${this.keys.shape.join(', ')}), got (${k.shape.join(', ')})`,
        { remedy: 'Create the cache with the length and batch of the source.' },
      )
    this.keys.assign(k)
    this.values.assign(v)
  }
}
