import { sameShape, showShape } from '../graph/shape.ts'
import type { Parameter, Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'

/**
 * Which saved tensors (`h.0.weight.exp_avg`) are whose state. A parameter has all of its state or
 * none, as one that had been frozen.
 * @throws HeedError when something fits no parameter, is missing, or has another shape
 */
export function matchSaved(
  saved: Readonly<Record<string, Tensor>>,
  named: readonly [string, Parameter][],
  initialState: (parameter: Parameter) => Record<string, Tensor>,
): Map<Parameter, Record<string, Tensor>> {
  const left = new Set(Object.keys(saved))
  const found = new Map<Parameter, Record<string, Tensor>>()
  const missing: string[] = []
  for (const [name, parameter] of named) {
    const wanted = Object.entries(initialState(parameter))
    const state: Record<string, Tensor> = {}
    for (const [key, fresh] of wanted) {
      const path = `${name}.${key}`
      if (!left.delete(path)) continue
      checkShape(path, saved[path], fresh)
      state[key] = saved[path]
    }
    if (Object.keys(state).length === 0) continue
    for (const [key] of wanted) if (!(key in state)) missing.push(`${name}.${key}`)
    found.set(parameter, state)
  }
  if (left.size > 0) refuse(`has state that fits no parameter: ${some([...left])}`)
  if (missing.length > 0) refuse(`lacks ${some(missing)}`)
  return found
}

function checkShape(path: string, saved: Tensor, fresh: Tensor): void {
  if (!sameShape(saved.shape, fresh.shape))
    refuse(`has ${path} of shape ${showShape(saved.shape)}, not ${showShape(fresh.shape)}`)
}

function refuse(problem: string): never {
  throw new HeedError('invalid-option', `The saved optimiser ${problem}`, {
    remedy: 'It was saved by another kind of optimiser, or with another model.',
  })
}

const some = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
