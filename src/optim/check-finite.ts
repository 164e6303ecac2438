import { describe, type Node } from '../graph/node.ts'
import { tensorOf } from '../tensor/core.ts'
import { firstNaN } from '../tensor/first-nan.ts'
import { noGrad, type Parameter, realize } from '../tensor/index.ts'
import { pendingBuffers } from '../tensor/module-buffer.ts'
import { HeedError } from '../util/errors.ts'
import { gradNormOf } from './clip.ts'

/**
 * Computes the losses and gradients of a step without updating any state.
 * @throws HeedError with code 'diverged' if one of them is not finite
 */
export async function refuseNonFinite(
  params: readonly Parameter[],
  roots: readonly Node[],
): Promise<void> {
  const grads = params.flatMap(({ grad }) => (grad ? [grad] : []))
  const norm = noGrad(() => gradNormOf(grads))
  const losses = roots.map(tensorOf)
  await realize([...losses, ...grads, norm, ...pendingBuffers()])
  for (const loss of losses)
    for (const value of await loss.data())
      if (!Number.isFinite(value)) throw await diverged('The loss', value, roots)
  const value = await norm.item()
  if (Number.isFinite(value)) return
  throw await diverged('The norm of the gradients', value, [...roots, ...grads.map((g) => g.node)])
}

async function diverged(what: string, value: number, roots: readonly Node[]): Promise<HeedError> {
  const found = await firstNaN(roots)
  return new HeedError('diverged', `${what} must be finite, got ${value}`, {
    value,
    remedy: found
      ? `The first NaN is in the result of ${describe(found.node)}. No parameter was changed.`
      : 'Lower the learning rate, or clip the gradients with `maxGradNorm`. No parameter was changed.',
  })
}
