import type { Environment } from './evaluator.ts'
import { listFilters } from './list-filters.ts'
import { numberFilters } from './number-filters.ts'
import type { Keywords, Value } from './objects.ts'
import { selectFilters } from './select-filters.ts'
import { textFilters } from './text-filters.ts'

export type Filter = (args: readonly Value[], keywords: Keywords, environment: Environment) => Value

/** Filters of Jinja, and `tojson` of transformers. The first argument is the value before the `|`. */
export const FILTERS: ReadonlyMap<string, Filter> = new Map(
  Object.entries({ ...textFilters, ...numberFilters, ...listFilters, ...selectFilters }),
)
