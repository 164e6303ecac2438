// Functions shared by decoders.
import type { KVCache } from '../../nn/index.ts'
import { arange, cat, full, type Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { ShapeError } from '../../util/errors.ts'
import { labelLoss } from './labels.ts'

/** @throws ShapeError if ids are not (B, T), or exceed the context length together with the tokens in the cache */
export function checkTokens(ids: Tensor, model: string, limit: number, cache?: KVCache): void {
  checkArgument(model, 'ids', ids, 'tensor')
  if (ids.rank === 2 && ids.shape[1] + (cache?.length ?? 0) <= limit) return
  const earlier = cache ? ` after ${cache.length} tokens` : ''
  throw new ShapeError(
    `${model}: ids must be (batch, tokens) with at most ${limit} tokens in all, got (${ids.shape.join(', ')})${earlier}`,
    { remedy: 'Truncate longer texts, or reset the cache.' },
  )
}

/** Where padding is, for `lastToken`. */
export interface LastTokenOptions {
  /** bool (B, T), true for tokens, false for padding. */
  attentionMask?: Tensor
  /** Padding id, used without a mask. */
  padTokenId?: number | null
}

/** Selects the hidden state of the last token of ids (B, T): (B, T, C) -> (B, C). Padding may be on either side. */
export function lastToken(
  states: Tensor,
  ids: Tensor,
  { attentionMask, padTokenId = null }: LastTokenOptions,
): Tensor {
  const [batch, tokens, width] = states.shape
  const counted = attentionMask ?? (padTokenId === null ? null : ids.ne(padTokenId))
  if (!counted) return states.select(1, tokens - 1)
  const last = arange(tokens).mul(counted.to('i32')).amax(1) // (B)
  return states.gather(1, last.reshape(batch, 1, 1).expand(batch, 1, width)).squeeze(1)
}

/** Mean cross-entropy of predicting the next tokens of ids (B, T) from states (B, T, C) with the embeddings (V, C). */
export function nextTokenLoss(
  states: Tensor,
  ids: Tensor,
  embeddings: Tensor,
  attentionMask?: Tensor,
): Tensor {
  const [batch, tokens] = ids.shape
  const ignored = full([batch, 1], -100, 'i32')
  const counted = attentionMask ? attentionMask.where(ids, full(ids.shape, -100, 'i32')) : ids
  const targets = cat([counted.narrow(1, 1, tokens - 1), ignored], 1)
  return labelLoss(states.matmul(embeddings.transpose(0, 1)), targets)
}
