import { alias, leaf } from '../graph/build.ts'
import type { DType, TypedArray } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import { type Shape, sameShape, showShape } from '../graph/shape.ts'
import { checkTensors } from '../tensor/arguments.ts'
import { tensorOf } from '../tensor/core.ts'
import { ModuleBuffer, type Parameter, Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'

/** State that a module saves in checkpoints. */
export type ModuleState = Parameter | ModuleBuffer

/** Values of a parameter or buffer. Arrays are used without a copy. */
export type StateSource = Tensor | { data: ArrayLike<number>; shape: Shape }

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** Whether missing and unexpected names are errors. Default true. */
  strict?: boolean
  /** Returns true for names that keep their state if the stored shape differs. For others, that is an error. */
  mayDiffer?: (name: string) => boolean
  /** Called with unexpected names, which then are not an error. */
  onUnexpected?: (names: readonly string[]) => void
}

/** A stored tensor and the parameter or buffer that it belongs to. */
export interface Match {
  /** Name in the checkpoint. */
  key: string
  /** The parameter or buffer that gets the values. */
  state: ModuleState
  /** Further names of the same state in the checkpoint, with their paths in the model. */
  tied: readonly { key: string; path: string }[]
}

/**
 * Matches stored tensors to parameters and buffers.
 * @param paths every path to a parameter or buffer: shared state may be stored under any of its names
 * @throws HeedError that lists all differences
 */
export function matchState(
  paths: readonly [string, ModuleState][],
  stored: Record<string, { shape: Shape }>,
  translate: (key: string) => string | null,
  model: string,
  { strict = true, mayDiffer = () => false, onUnexpected }: LoadOptions,
): Match[] {
  const known = new Set(paths.map(([path]) => path))
  const keys = new Map<string, string>()
  const unexpected: string[] = []
  for (const key of Object.keys(stored)) {
    const name = translate(key)
    if (name === null) continue
    if (known.has(name) && mayDiffer(name) && !fits(paths, name, stored[key].shape)) continue
    if (known.has(name)) keys.set(name, key)
    else unexpected.push(key)
  }
  const { matched, missing } = match(paths, keys)
  const misshaped = matched
    .flatMap(({ key, state, tied }) =>
      [key, ...tied.map(({ key }) => key)].map((key) => ({ key, state })),
    )
    .filter(({ key, state }) => !sameShape(state.shape, stored[key].shape))
    .map(
      ({ key, state }) =>
        `${key} is ${showShape(stored[key].shape)}, not ${showShape(state.shape)}`,
    )
  const mayHaveMore = !strict || (onUnexpected && missing.length === 0)
  refuse(model, strict ? missing : [], mayHaveMore ? [] : unexpected, misshaped)
  if (unexpected.length > 0) onUnexpected?.(unexpected)
  return matched
}

/** Sets the values of a parameter or buffer. Initial values that have not been computed yet are discarded. */
export function setValues(state: Tensor, source: StateSource): void {
  checkTensors('setValues', { state })
  checkArgument('setValues', 'source', source, 'object')
  if (hasMemory(state.node)) state.assign(asTensor(source, state.dtype))
  else state.moveTo(ownNode(source, state.dtype))
}

/** Like `setValues`, but takes over the memory of the source, which must not be used afterwards. */
export function takeValues(state: Tensor, source: Tensor): void {
  checkTensors('takeValues', { state, source })
  if (hasMemory(state.node)) state.assign(source)
  else state.moveTo(source.node)
}

function fits(paths: readonly [string, ModuleState][], name: string, shape: Shape): boolean {
  return paths.some(([path, state]) => path === name && sameShape(state.shape, shape))
}

function match(
  paths: readonly [string, ModuleState][],
  keys: ReadonlyMap<string, string>,
): { matched: Match[]; missing: string[] } {
  const matched = new Map<ModuleState, Match & { tied: { key: string; path: string }[] }>()
  const firstNames = new Map<ModuleState, string>()
  for (const [path, state] of paths) {
    if (!firstNames.has(state)) firstNames.set(state, path)
    const key = keys.get(path)
    if (key === undefined) continue
    const match = matched.get(state)
    if (!match) matched.set(state, { key, state, tied: [] })
    else if (match.key !== key) match.tied.push({ key, path })
  }
  const needed = (state: ModuleState): boolean =>
    !(matched.has(state) || (state instanceof ModuleBuffer && state.optional))
  const missing = [...firstNames].filter(([state]) => needed(state)).map(([, name]) => name)
  return { matched: [...matched.values()], missing }
}

function refuse(
  model: string,
  missing: readonly string[],
  unexpected: readonly string[],
  misshaped: readonly string[],
): void {
  const lines = [
    ...listed('missing', missing),
    ...listed('unexpected', unexpected),
    ...listed('of another shape', misshaped),
  ]
  if (lines.length === 0) return
  throw new HeedError(
    'shape',
    `The weights must fit ${model}, got these differences:\n${lines.join('\n')}`,
    {
      remedy: 'Check that the weights were saved from a model with the same config.',
    },
  )
}

const SHOWN = 20

function listed(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const rest = names.length > SHOWN ? [`    … and ${names.length - SHOWN} more`] : []
  return [
    `  ${names.length} ${what}:`,
    ...names.slice(0, SHOWN).map((name) => `    ${name}`),
    ...rest,
  ]
}

/** Whether the state has memory on a device. Held programs may use that memory, so the state must stay in it. */
function hasMemory(node: Node): boolean {
  let state = node
  while (!state.place && (state.op === 'assign' || state.op === 'assignAt')) [state] = state.inputs
  return state.place !== null
}

function asTensor(source: StateSource, dtype: DType): Tensor {
  return source instanceof Tensor ? source : tensorOf(ownNode(source, dtype))
}

function ownNode(source: StateSource, dtype: DType): Node {
  if (!(source instanceof Tensor)) return leaf(numbersOf(source.data, dtype), source.shape, dtype)
  const node = alias(source.to(dtype).node)
  node.persistent = true
  return node
}

// Doubles are kept, because the reference device can compute with them.
const floats = (data: ArrayLike<number>): Float32Array | Float64Array =>
  data instanceof Float32Array || data instanceof Float64Array ? data : Float32Array.from(data)

const numbersOf = (data: ArrayLike<number>, dtype: DType): TypedArray =>
  dtype === 'f32' ? floats(data) : Int32Array.from(data)
