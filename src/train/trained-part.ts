import { isBelow, type ModelClass } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'

/**
 * Freezes all weights except a part. `head`: all weights outside the stack below the head. `top:N`: the head, the last N
 * layers of each list of layers, and the weights after them.
 * @throws HeedError if no weight is left to train, or if the model has fewer layers
 */
export function trainOnly(model: Module, part: string): void {
  if (part === 'all') return
  const { base = [], layerLists = [] } = model.constructor as unknown as ModelClass
  const bases = [base].flat()
  const names = model.namedParameters().map(([name]) => name)
  const isHead = (name: string): boolean => bases.length > 0 && !isBelow(name, bases)
  const top = part === 'head' ? new Set<string>() : topOf(names, layerLists, Number(part.slice(4)))
  for (const [name, parameter] of model.namedParameters())
    parameter.requiresGrad = isHead(name) || top.has(name)
  if (names.some((name) => isHead(name) || top.has(name))) return
  throw new HeedError('unsupported', `${model.constructor.name} has no separate head to train`, {
    key: 'train',
    value: part,
    try: { train: ['top:1', 'all'] },
  })
}

/** The names of the weights in the last `count` layers of each list and after: `h.10.…`, `h.11.…`, `ln_f.weight`. */
function topOf(
  names: readonly string[],
  layerLists: readonly string[],
  count: number,
): Set<string> {
  const places = names.map((name) => layerOf(name, layerLists))
  const sizes = new Map<string, number>()
  for (const place of places)
    if (place) sizes.set(place.list, Math.max(sizes.get(place.list) ?? 0, place.layer + 1))
  const fewest = sizes.size > 0 ? Math.min(...sizes.values()) : 0
  if (!(count <= fewest))
    throw invalidOption({
      key: 'train',
      value: `top:${count}`,
      expected: fewest > 0 ? `top:1 to top:${fewest}` : 'all or head for a model without layers',
      try: { train: fewest > 0 ? [`top:${fewest}`, 'all'] : ['all'] },
    })
  const top = new Set<string>()
  let open = false
  places.forEach((place, i) => {
    if (place) open = place.layer >= (sizes.get(place.list) ?? 0) - count
    if (open) top.add(names[i])
  })
  return top
}

/** The list and the layer that contain a weight; null for weights outside of layers. */
function layerOf(
  name: string,
  layerLists: readonly string[],
): { list: string; layer: number } | null {
  for (const list of layerLists) {
    if (!name.startsWith(`${list}.`)) continue
    const layer = Number.parseInt(name.slice(list.length + 1), 10)
    if (Number.isInteger(layer)) return { list, layer }
  }
  return null
}
