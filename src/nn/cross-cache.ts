import { checkTensors } from '../tensor/arguments.ts'
import { type Tensor, zeros } from '../tensor/index.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { KVCache, type KVCacheShape } from './kv-cache.ts'

/** Sizes of an encoder-decoder cache. */
export interface EncoderDecoderCacheShape extends KVCacheShape {
  /** Number of source tokens, including padding. */
  sourceLength: number
}

const CACHE = optionKinds<EncoderDecoderCacheShape>({
  layers: 'count',
  heads: 'size',
  headDim: 'size',
  capacity: 'size',
  batch: 'size?',
  prefix: 'record|null?',
  sourceLength: 'count',
})

/**
 * The cache of an encoder-decoder model: the keys and values of earlier tokens, and in each layer those of the source,
 * which are computed once.
 */
export class EncoderDecoderCache extends KVCache {
  /** The keys and values of the source, by layer. */
  readonly cross: readonly CrossCache[]

  /** Allocates a cache of zeros. */
  constructor(shapes: EncoderDecoderCacheShape) {
    CACHE.check('EncoderDecoderCache', shapes)
    const { sourceLength, ...shape } = shapes
    super(shape)
    const { layers, heads, headDim, batch = 1 } = shape
    const places = [batch, heads, sourceLength, headDim]
    this.cross = Array.from({ length: layers }, () => new CrossCache(places))
  }

  /** Copies the content of a smaller cache of the same sequences. */
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

/** Keys and values of the source in one layer. */
export class CrossCache {
  /** f32 (B, H, S, D). */
  readonly keys: Tensor
  /** f32 (B, H, S, D). */
  readonly values: Tensor

  /** Allocates keys and values of zeros, each of this shape. */
  constructor(shape: readonly number[]) {
    this.keys = zeros(shape)
    this.values = zeros(shape)
    this.keys.becomeState()
    this.values.becomeState()
  }

  /** Replaces the keys and values with those of another source (B, H, S, D). @throws ShapeError for another shape */
  replace(k: Tensor, v: Tensor): void {
    checkTensors('CrossCache.replace', { k, v })
    if (k.shape.join() !== this.keys.shape.join())
      throw new ShapeError(
        `The source must have the shape of the cache (${this.keys.shape.join(', ')}), got (${k.shape.join(', ')})`,
        { remedy: "Create the cache with the source's length and batch size." },
      )
    this.keys.assign(k)
    this.values.assign(v)
  }
}
