import { alias, leaf } from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { sameShape, type Shape, showShape } from '../graph/shape.ts'
import { type Parameter, Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'

/** What a parameter can take its values from. An array is taken, not copied. */
export type StateSource = Tensor | { data: ArrayLike<number>; shape: Shape }

export interface LoadOptions {
  /** Whether missing and unexpected names are errors. Default true. */
  strict?: boolean
}

/**
 * Gives parameters the values of `dict`, or throws one error with everything that does not fit.
 * @param paths every path to a parameter: a tied one may be stored under any of its names
 */
export function loadParameters(
  paths: readonly [string, Parameter][],
  dict: Record<string, StateSource>,
  translate: (key: string) => string | null,
  model: string,
  { strict = true }: LoadOptions,
): void {
  const known = new Set(paths.map(([path]) => path))
  const sources = new Map<string, StateSource>()
  const unexpected: string[] = []
  for (const [key, source] of Object.entries(dict)) {
    const name = translate(key)
    if (name === null) continue
    if (known.has(name)) sources.set(name, source)
    else unexpected.push(key)
  }
  const { found, missing } = match(paths, sources)
  const misshaped = found
    .filter(({ parameter, source }) => !sameShape(parameter.shape, source.shape))
    .map(
      ({ name, parameter, source }) =>
        `${name} is ${showShape(source.shape)}, not ${showShape(parameter.shape)}`,
    )
  refuse(model, strict ? missing : [], strict ? unexpected : [], misshaped)
  for (const { parameter, source } of found) setValues(parameter, source)
}

/**
 * Gives a parameter other values. If its first ones have not been computed yet, they never are.
 */
export function setValues(parameter: Parameter, source: StateSource): void {
  if (hasMemory(parameter.node)) parameter.assign(asTensor(source))
  else parameter.moveTo(ownNode(source))
}

interface Match {
  name: string
  parameter: Parameter
  source: StateSource
}

function match(
  paths: readonly [string, Parameter][],
  sources: ReadonlyMap<string, StateSource>,
): { found: Match[]; missing: string[] } {
  const found = new Map<Parameter, Match>()
  const firstNames = new Map<Parameter, string>()
  for (const [name, parameter] of paths) {
    if (!firstNames.has(parameter)) firstNames.set(parameter, name)
    const source = sources.get(name)
    if (source && !found.has(parameter)) found.set(parameter, { name, parameter, source })
  }
  const missing = [...firstNames].filter(([p]) => !found.has(p)).map(([, name]) => name)
  return { found: [...found.values()], missing }
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
  throw new HeedError(`These weights do not fit ${model}:\n${lines.join('\n')}`, {
    remedy: 'Check that they were saved from a model with the same config.',
  })
}

const SHOWN = 20

function listed(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const rest = names.length > SHOWN ? [`    … and ${names.length - SHOWN} more`] : []
  return [`  ${names.length} ${what}:`, ...names.slice(0, SHOWN).map((name) => `    ${name}`), ...rest]
}

/** Whether the state has been on a device: programs may hold its memory, so it has to stay there. */
function hasMemory(node: Node): boolean {
  let state = node
  while (!state.place && (state.op === 'assign' || state.op === 'assignAt')) [state] = state.inputs
  return state.place !== null
}

function asTensor(source: StateSource): Tensor {
  return source instanceof Tensor ? source : new Tensor(ownNode(source))
}

function ownNode(source: StateSource): Node {
  if (!(source instanceof Tensor)) return leaf(floats(source.data), source.shape, 'f32')
  const node = alias(source.to('f32').node)
  node.persistent = true
  return node
}

// Doubles stay: the reference device computes with them when it is asked to.
const floats = (data: ArrayLike<number>): Float32Array | Float64Array =>
  data instanceof Float32Array || data instanceof Float64Array ? data : Float32Array.from(data)
