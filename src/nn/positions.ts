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
  /**
   * bool (B, S), true for tokens, false for padding, which may be on either side. Without a cache, i32 (B, T) packs
   * several texts in a row: the number of the text of each token, from 1, and 0 for padding. Tokens attend only to their
   * own text, and positions start at 0 in each text.
   */
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
  const { dtype } = attentionMask
  if (!(dtype === 'bool' || (dtype === 'i32' && !cache)) || rows !== batch || columns !== room)
    throw new ShapeError(
      `\`attentionMask\` must be bool${cache ? '' : ' or i32'} (${batch}, ${room}), got ${dtype} (${attentionMask.shape.join(', ')})`,
      { remedy: 'It must have one row per sequence and one column per token or cache position.' },
    )
  const counted = countedPositions(attentionMask)
  return cache ? counted.take(places, 1) : counted
}

/**
 * Computes the position of each column of a mask (B, S), counted from 0 without padding, and from 0 in each text of a
 * packed row: i32 (B, S).
 */
export function countedPositions(attentionMask: Tensor): Tensor {
  checkTensors('countedPositions', { attentionMask })
  if (attentionMask.dtype === 'bool')
    return attentionMask.to('i32').cumsum(1).sub(1).clamp({ min: 0 })
  const places = arange(attentionMask.shape[1]) // (T)
  const first = sameText(attentionMask).where(places.mul(-1), -attentionMask.shape[1]).amax(2) // (B, T), negated
  return places.add(first)
}

/**
 * Reshapes a mask (B, S) to broadcast over heads and queries: (B, 1, 1, S). For packed rows, the mask is (B, 1, T, T), true
 * within a text.
 */
export function keyMask(attentionMask?: Tensor): Tensor | undefined {
  if (attentionMask === undefined) return undefined
  checkTensors('keyMask', { attentionMask })
  if (attentionMask.dtype === 'i32') return sameText(attentionMask).unsqueeze(1)
  return attentionMask.unsqueeze(1).unsqueeze(1)
}

/** The mask of a batch whose rows pack several texts; undefined for other batches. */
export const packedTexts = (attentionMask?: Tensor): Tensor | undefined =>
  attentionMask?.dtype === 'i32' ? attentionMask : undefined

/** Whether two tokens of packed rows (B, T) belong to the same text: bool (B, T, T). Padding counts as a text. */
const sameText = (texts: Tensor): Tensor => texts.unsqueeze(2).eq(texts.unsqueeze(1))
