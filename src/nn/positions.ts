import { checkTensors } from '../tensor/arguments.ts'
import { arange, type Tensor } from '../tensor/index.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import type { KVCache } from './kv-cache.ts'

// B batch, T new tokens, S all tokens that there is room for: the cache's capacity, or T without one

export interface PaddedOptions {
  cache?: KVCache
  /** bool (B, S): true where a token counts, false where it is padding, on either side. */
  attentionMask?: Tensor
}

const PADDED = optionKinds<PaddedOptions>({ cache: 'object?', attentionMask: 'tensor?' })

/**
 * Where the new tokens of ids (B, T) stand, counted from 0 over the tokens that count: i32 (T), or
 * (B, T) with a mask. Padding at the front gets 0, as nobody looks at it.
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
      { remedy: 'It has a row for each text and a column for each token or cache position.' },
    )
  const counted = countedPositions(attentionMask)
  return cache ? counted.take(places, 1) : counted
}

/** The position of each place of a mask (B, S), counted from 0 over the tokens that count: i32 (B, S). */
export function countedPositions(attentionMask: Tensor): Tensor {
  checkTensors('countedPositions', { attentionMask })
  return attentionMask.to('i32').cumsum(1).sub(1).clamp({ min: 0 })
}

/** The mask (B, S) as attention wants it: (B, 1, 1, S). */
export function keyMask(attentionMask?: Tensor): Tensor | undefined {
  if (attentionMask === undefined) return undefined
  checkTensors('keyMask', { attentionMask })
  return attentionMask.unsqueeze(1).unsqueeze(1)
}
