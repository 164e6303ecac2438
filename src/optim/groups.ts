import type { Parameter } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'

/** Parameters that share options. A scheduler, or you, may change the numbers at any time. */
export type Group<Options> = Options & { params: Parameter[] }

/** As given: what a group leaves out is taken from the optimiser's options. */
export type GroupInput<Options> = Partial<Options> & { params: Iterable<Parameter> }

/** One group of parameters, or several with options of their own. */
export function groupsOf<Options>(
  params: Iterable<Parameter> | Iterable<GroupInput<Options>>,
  options: Options,
): Group<Options>[] {
  const list = [...(params as Iterable<Parameter | GroupInput<Options>>)]
  const single = list.filter((item): item is Parameter => !('params' in item))
  const given = list.filter((item): item is GroupInput<Options> => 'params' in item)
  const inputs: { params: Iterable<Parameter> }[] =
    single.length > 0 ? [{ params: single }, ...given] : given
  const groups = inputs.map((group) => ({ ...options, ...group, params: [...group.params] }))
  const all = groups.flatMap((group) => group.params)
  if (all.length === 0)
    throw new HeedError('invalid-option', 'An optimiser without parameters', {
      remedy: 'Pass model.parameters().',
    })
  if (new Set(all).size < all.length)
    throw new HeedError('invalid-option', 'A parameter is listed twice in an optimiser', {
      remedy: 'Put each into one group, once; model.parameters() lists shared ones once.',
    })
  return groups
}
