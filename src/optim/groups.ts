import { Parameter } from '../tensor/index.ts'
import { checkKeys } from '../util/check-keys.ts'
import { HeedError, invalidOption } from '../util/errors.ts'

/** Parameters that share options. The options may be changed between steps; schedulers set `lr`. */
export type Group<Options> = Options & {
  /** The parameters of the group. */
  params: Parameter[]
}

/** A group as passed to the constructor. Missing options are taken from the optimiser's options. */
export type GroupInput<Options> = Partial<Options> & {
  /** The parameters of the group. */
  params: Iterable<Parameter>
}

/** Converts parameters, or groups with options, to complete groups. `owner` is the optimiser's name in errors. */
export function groupsOf<Options extends object>(
  owner: string,
  params: Iterable<Parameter> | Iterable<GroupInput<Options>>,
  defaults: Options,
  options: Partial<Options>,
): Group<Options>[] {
  const fallback = filled(owner, defaults, options)
  const list = listOf(owner, params)
  const given = list.filter((item) => isGroup<Options>(item))
  const single = parametersIn(
    owner,
    list.filter((item) => !isGroup(item)),
  )
  const groups = given.map(({ params, ...rest }) => ({
    ...filled(`a group of ${owner}`, fallback, rest as object),
    params: listOfParameters(owner, params),
  }))
  if (single.length > 0) groups.unshift({ ...fallback, params: single })
  checkParameters(groups.flatMap((group) => group.params))
  return groups
}

/** Converts an iterable of parameters to an array. @throws HeedError for anything else */
export const listOfParameters = (owner: string, params: Iterable<Parameter>): Parameter[] =>
  parametersIn(owner, listOf(owner, params))

function parametersIn(owner: string, list: readonly unknown[]): Parameter[] {
  return list.map((item) => {
    if (item instanceof Parameter) return item
    throw notParameters(owner, item)
  })
}

const isGroup = <Options>(item: unknown): item is GroupInput<Options> =>
  typeof item === 'object' && item !== null && 'params' in item

function listOf(owner: string, params: Iterable<unknown>): unknown[] {
  if (typeof params === 'object' && params !== null && Symbol.iterator in params) return [...params]
  throw notParameters(owner, params)
}

const notParameters = (owner: string, value: unknown): HeedError =>
  invalidOption({
    owner,
    key: 'params',
    value,
    expected: 'a list of parameters',
    remedy: 'Pass model.parameters().',
  })

/** The given options completed with defaults. An option must have the type of its default. */
function filled<Options extends object>(owner: string, defaults: Options, given: object): Options {
  checkKeys(owner, given, Object.keys(defaults))
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [key, value] of entries) checkType(key, value, defaults[key as keyof Options])
  return { ...defaults, ...Object.fromEntries(entries) }
}

function checkType(key: string, value: unknown, fallback: unknown): void {
  const isList = Array.isArray(fallback)
  const fits =
    typeof fallback === 'number'
      ? Number.isFinite(value)
      : typeof value === typeof fallback && Array.isArray(value) === isList
  if (fits) return
  const types: Partial<Record<string, string>> = { number: 'a finite number', boolean: 'true or false' } // biome-ignore format: one line
  throw invalidOption({
    key,
    value,
    expected: isList ? 'a list' : (types[typeof fallback] ?? `of type ${typeof fallback}`),
    remedy: `Its default is ${JSON.stringify(fallback)}.`,
  })
}

function checkParameters(params: readonly Parameter[]): void {
  if (params.length === 0)
    throw new HeedError(
      'invalid-option',
      '`params` must contain at least one parameter, got none',
      {
        key: 'params',
        remedy: 'Pass model.parameters().',
      },
    )
  if (new Set(params).size < params.length)
    throw new HeedError(
      'invalid-option',
      '`params` must contain each parameter once, got one twice',
      {
        key: 'params',
        remedy: 'Put each parameter into one group. model.parameters() lists shared ones once.',
      },
    )
}
