// Reading intermediate values of a model without changing its code.
import { scopeNow } from '../graph/node.ts'
import type { Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { checkModule, type Module } from './module.ts'

/** Attention weights (B, H, T, S), keyed by the path of the module that computed them. */
export type Attentions = Map<string, Tensor>

let wanted: Attentions | null = null

/** Runs `body` and returns its result and the attention weights of every layer that it calls. */
export function captureAttention<T>(body: () => T): { result: T; attentions: Attentions } {
  checkArgument('captureAttention', 'body', body, 'function')
  const outer = wanted
  const attentions: Attentions = new Map()
  wanted = attentions
  try {
    return { result: body(), attentions }
  } finally {
    wanted = outer
  }
}

/** Reports attention weights to `captureAttention`. Attention layers call it; `weights` runs only during a capture. */
export function offerAttention(weights: () => Tensor): void {
  checkArgument('offerAttention', 'weights', weights, 'function')
  if (wanted) wanted.set(scopeNow(), weights())
}

/** Runs `body` and returns its result and the outputs of the modules at `paths`, keyed by path. */
export function captureActivations<T>(
  model: Module,
  paths: readonly string[],
  body: () => T,
): { result: T; activations: Map<string, Tensor> } {
  checkModule('captureActivations', model)
  checkArgument('captureActivations', 'paths', paths, 'texts')
  checkArgument('captureActivations', 'body', body, 'function')
  const activations = new Map<string, Tensor>()
  const removals = paths.map((path) =>
    model.hook(path, (_module, _inputs, output) => void activations.set(path, output)),
  )
  try {
    return { result: body(), activations }
  } finally {
    for (const remove of removals) remove()
  }
}
