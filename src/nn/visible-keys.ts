import { checkTensors } from '../tensor/arguments.ts'
import { arange, type Tensor } from '../tensor/index.ts'
import { optionKinds } from '../util/options.ts'
import { countedPositions, keyMask, type PaddedOptions } from './positions.ts'

/** Options of `visibleKeys`. */
export interface VisibleOptions extends PaddedOptions {
  /** Number of keys that a token sees: its own and the preceding ones. null: no limit. */
  window?: number | null
  /** Whether the window extends after the token as far as before it. Default false. */
  bothSides?: boolean
}

const VISIBLE = optionKinds<VisibleOptions>({
  cache: 'object?',
  attentionMask: 'tensor?',
  window: 'number|null?',
  bothSides: 'flag?',
})

/**
 * Computes which keys each token of ids (B, T) sees, in addition to the causal rule. A sliding window (Beltagy et al.,
 * 2020, "Longformer") counts positions without padding.
 * @returns bool that broadcasts to (B, H, T, S); null if all keys are visible
 */
export function visibleKeys(ids: Tensor, options: VisibleOptions): Tensor | null {
  checkTensors('visibleKeys', { ids })
  VISIBLE.checkValues('visibleKeys', options)
  const { cache, attentionMask, window = null, bothSides = false } = options
  const tokens = ids.shape[1]
  const keys = cache?.capacity ?? tokens
  const counted = keyMask(attentionMask) ?? null // (B, 1, 1, S)
  if (window === null || window >= keys) return counted
  // Positions without padding, which may be between the tokens of an adapter and those of the text.
  const all = attentionMask ? countedPositions(attentionMask) : arange(keys).unsqueeze(0) // (B or 1, S)
  const own = cache ? arange(tokens).add(cache.position()) : arange(tokens)
  const places = all.take(own, 1).unsqueeze(2) // (B or 1, T, 1)
  const columns = all.unsqueeze(1) // (B or 1, 1, S)
  const after = columns.gt(places.sub(window))
  const within = bothSides ? after.logicalAnd(columns.lt(places.add(window))) : after
  const near = within.unsqueeze(1) // (B or 1, 1, T, S)
  return counted ? counted.logicalAnd(near) : near
}
