import { checkTensors } from '../tensor/arguments.ts'
import { arange, type Tensor } from '../tensor/index.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import type { KVCache } from './kv-cache.ts'

// B batch, T new tokens, S all token positions: the capacity of the cache, or T without a cache

/** Options for batches that contain padding. */
export interface PaddedOptions {
  /** Cache of earlier keys and values. Positions continue after its tokens. */
  cache?: KVCache
  /** bool (B, S), true for tokens, false for padding. Padding may be on either side. */
  attentionMask?: Tensor
}

const PADDED = optionKinds<PaddedOptions>({ cache: 'object?', attentionMask: 'tensor?' })

/**
 * Computes the positions of the new tokens of ids (B, T), counted from 0 without padding. Padding on the left gets
 * position 0, which has no effect because it is masked.
 * @returns i32 (T), or (B, T) with a mask
 * @throws ShapeError for a mask of another shape or dtype
 */
export function tokenPositions(ids: Tensor, options: PaddedOptions = {}): Tensor {
  checkTensors('tokenPositions', { ids })
  PADDED.checkValues('tokenPositions', options)
  const { cache, attentionMask } = options
  const [batch, tokens] = ids.shape
  const own = arange(tokens)
  const places = cache ? own.add(cache.position()) : own
  if (!attentionMask) return places
  const room = cache?.capacity ?? tokens
  const [rows, columns] = attentionMask.shape
  if (attentionMask.dtype !== 'bool' || rows !== batch || columns !== room)
    throw new ShapeError(
      `\`attentionMask\` must be bool (${batch}, ${room}), got ${attentionMask.dtype} (${attentionMask.shape.join(', ')})`,
      { remedy: 'It must have one row per sequence and one column per token or cache position.' },
    )
  const counted = countedPositions(attentionMask)
  return cache ? counted.take(places, 1) : counted
}

/** Computes the position of each column of a mask (B, S), counted from 0 without padding: i32 (B, S). */
export function countedPositions(attentionMask: Tensor): Tensor {
  checkTensors('countedPositions', { attentionMask })
  return attentionMask.to('i32').cumsum(1).sub(1).clamp({ min: 0 })
}

/** Reshapes a mask (B, S) to broadcast over heads and queries: (B, 1, 1, S). */
export function keyMask(attentionMask?: Tensor): Tensor | undefined {
  if (attentionMask === undefined) return undefined
  checkTensors('keyMask', { attentionMask })
  return attentionMask.unsqueeze(1).unsqueeze(1)
}
