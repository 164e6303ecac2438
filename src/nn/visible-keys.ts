import { checkTensors } from '../tensor/arguments.ts'
import { arange, type Tensor } from '../tensor/index.ts'
import { optionKinds } from '../util/options.ts'
import { keyMask, type PaddedOptions } from './positions.ts'

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
 * 2020, "Longformer") counts positions including padding, as in transformers.
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
  const own = arange(tokens).unsqueeze(1) // (T, 1)
  const places = cache ? own.add(cache.position()) : own
  const after = arange(keys).gt(places.sub(window))
  const within = bothSides ? after.logicalAnd(arange(keys).lt(places.add(window))) : after
  const near = within.unsqueeze(0).unsqueeze(0) // (1, 1, T, S)
  return counted ? counted.logicalAnd(near) : near
}
