// Looking inside a model without changing it.
import { scopeNow } from '../graph/node.ts'
import type { Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { checkModule, type Module } from './module.ts'

/** Attention weights by the path of the module that computed them: each (B, H, T, S). */
export type Attentions = Map<string, Tensor>

let wanted: Attentions | null = null

/** The attention weights of every layer that `body` calls, beside what it returns. */
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

/** Called by attention layers; the weights are made only when somebody captures them. */
export function offerAttention(weights: () => Tensor): void {
  checkArgument('offerAttention', 'weights', weights, 'function')
  if (wanted) wanted.set(scopeNow(), weights())
}

/** What the modules at these paths return while `body` runs, by path. */
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
