import { sameShape, showShape } from '../graph/shape.ts'
import type { Parameter, Tensor } from '../tensor/index.ts'
import { HeedError, ShapeError } from '../util/errors.ts'
import type { OptimizerState, ParameterState } from './optimizer.ts'

export interface StateRules {
  initialState(parameter: Parameter): ParameterState
  /** Whether the optimiser may have no state after training. */
  optional: boolean
}

/**
 * Matches saved tensors (`h.0.weight.exp_avg`) to parameters. A parameter has either all of its state or, if it was
 * frozen, none. `owner` is the optimiser's name in errors.
 * @throws HeedError if a tensor matches no parameter, is missing, or has another shape
 */
export function matchSaved(
  owner: string,
  { step, tensors }: OptimizerState,
  named: readonly [string, Parameter][],
  { initialState, optional }: StateRules,
): Map<Parameter, ParameterState> {
  const fresh = named.map(([name, parameter]) => ({ name, parameter, state: initialState(parameter) })) // biome-ignore format: one line
  const keys = new Set(fresh.flatMap(({ state }) => Object.keys(state)))
  const saved = Object.keys(tensors)
  checkKeys(owner, keys, saved, step > 0 && !optional)
  const left = new Set(saved)
  const missing: string[] = []
  const matched = new Map<Parameter, ParameterState>()
  for (const { name, parameter, state } of fresh) {
    const paths = Object.keys(state).map((key) => ({ key, path: `${name}.${key}` }))
    const present = paths.filter(({ path }) => left.delete(path))
    if (present.length === 0) continue
    for (const { key, path } of present) checkShape(path, tensors[path], state[key])
    missing.push(...paths.filter((item) => !present.includes(item)).map(({ path }) => path))
    const entries = present.map(({ key, path }) => [key, tensors[path]] as const)
    matched.set(parameter, Object.fromEntries(entries))
  }
  if (left.size > 0) throw unfit(`fit the model, got ${listed([...left])}, which fits no parameter`)
  if (missing.length > 0) throw unfit(`be complete, but lacks ${listed(missing)}`)
  return matched
}

/** Optimisers are distinguished by their state's keys: `exp_avg` for Adam, `momentum_buffer` for SGD. */
function checkKeys(
  owner: string,
  keys: ReadonlySet<string>,
  saved: readonly string[],
  required: boolean,
): void {
  const given = new Set(saved.map((path) => path.slice(path.lastIndexOf('.') + 1)))
  const strange = [...given].filter((key) => !keys.has(key))
  if (strange.length === 0 && (given.size > 0 || keys.size === 0 || !required)) return
  const expected = keys.size > 0 ? `${owner} (${listed([...keys])})` : `${owner} (no tensors)`
  throw new HeedError(
    'invalid-option',
    `The optimiser state must be that of ${expected}, got ${listed(strange) || 'no tensors'}`,
    {
      key: 'tensors',
      expected,
      remedy:
        'The state was saved by another optimiser. Load it into an optimiser of the same kind.',
    },
  )
}

function checkShape(path: string, saved: Tensor, fresh: Tensor): void {
  if (sameShape(saved.shape, fresh.shape)) return
  const [expected, got] = [fresh.shape, saved.shape].map(showShape)
  throw new ShapeError(`${path} of the optimiser state must have shape ${expected}, got ${got}`, {
    key: path,
    remedy:
      'The state was saved with another model. Load it with the model of the same checkpoint.',
  })
}

const unfit = (problem: string): HeedError =>
  new HeedError('invalid-option', `The optimiser state must ${problem}`, {
    key: 'tensors',
    remedy:
      'The state was saved with another model. Load it with the model of the same checkpoint.',
  })

const listed = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
