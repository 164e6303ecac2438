// Keys and values that take the place of those that self-attention computes, as in prefix tuning.
import type { Tensor } from '../tensor/index.ts'

/** Keys and values of a self-attention layer, (B, S, C') each, before they are split into heads. */
export interface KeyValues {
  /** Keys, after rotation. */
  readonly k: Tensor
  /** Values. */
  readonly v: Tensor
}

/** Numbers of heads of a layer. */
interface Heads {
  readonly heads: number
  readonly kvHeads: number
}

type Change = (computed: KeyValues, heads: Heads) => KeyValues

let change: Change | null = null

/** Runs `body`, in which every call of `attention` uses the keys and values that `other` returns for its computed. */
export function changingKeyValues<T>(other: Change, body: () => T): T {
  const outer = change
  change = other
  try {
    return body()
  } finally {
    change = outer
  }
}

/** The keys and values to use in place of those that a layer has computed. `attention` calls it. */
export const changedKeyValues = (computed: KeyValues, heads: Heads): KeyValues =>
  change ? change(computed, heads) : computed
