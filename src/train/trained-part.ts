import type { ModelClass } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'

/**
 * Keeps all but a part of the weights from being trained: `head`, what is not below the model's base;
 * `top:N`, the head, the last N layers of each stack and what comes behind them.
 * @throws HeedError when nothing is left, or there are fewer layers
 */
export function trainOnly(model: Module, part: string): void {
  if (part === 'all') return
  const { base } = model.constructor as unknown as ModelClass
  const bases = [base ?? []].flat()
  const named = model.namedParameters()
  const isHead = (name: string): boolean =>
    bases.length > 0 && !bases.some((prefix) => name.startsWith(`${prefix}.`))
  const top =
    part === 'head'
      ? new Set<string>()
      : topOf(
          named.map(([name]) => name),
          Number(part.slice(4)),
        )
  for (const [name, parameter] of named) parameter.requiresGrad = isHead(name) || top.has(name)
  if (named.some(([, { requiresGrad }]) => requiresGrad)) return
  throw new HeedError('unsupported', `${model.constructor.name} has no head of its own to train`, {
    remedy: 'Its output is the embedding. Train the top layers: top:1, top:2 …',
  })
}

/** The names of the last `count` layers and of what follows them: `h.10.…`, `h.11.…`, `ln_f.weight`. */
function topOf(names: readonly string[], count: number): Set<string> {
  const places = names
    .map((name) => /^(.*?)\.(\d+)\./.exec(name))
    .map((found) => found && { stack: found[1], layer: Number(found[2]) })
  const layers = new Map<string, number>()
  for (const place of places)
    if (place) layers.set(place.stack, Math.max(layers.get(place.stack) ?? 0, place.layer + 1))
  const fewest = Math.min(...layers.values())
  if (!(count <= fewest))
    throw new HeedError(
      'invalid-option',
      `top:${count}: the model has ${layers.size > 0 ? fewest : 'no'} layers`,
      {
        remedy: 'Ask for fewer, or for all.',
      },
    )
  const top = new Set<string>()
  let open = false
  places.forEach((place, i) => {
    if (place) open = place.layer >= (layers.get(place.stack) as number) - count
    if (open) top.add(names[i])
  })
  return top
}
