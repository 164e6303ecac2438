import type { ModelClass } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'

/**
 * Freezes all weights except a part: `head` trains the weights outside the model's stack, `top:N` the head,
 * the last N layers of each stack and the weights after them.
 * @throws HeedError if no weight is left to train, or the model has fewer layers
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
  throw new HeedError(
    'unsupported',
    `${model.constructor.name} has no head that could be trained alone`,
    {
      key: 'train',
      value: part,
      try: { train: ['top:1', 'all'] },
    },
  )
}

/** The names of weights in the last `count` layers and after them: `h.10.…`, `h.11.…`, `ln_f.weight`. */
function topOf(names: readonly string[], count: number): Set<string> {
  const places = names
    .map((name) => /^(.*?)\.(\d+)\./.exec(name))
    .map((match) => match && { stack: match[1], layer: Number(match[2]) })
  const layers = new Map<string, number>()
  for (const place of places)
    if (place) layers.set(place.stack, Math.max(layers.get(place.stack) ?? 0, place.layer + 1))
  const fewest = Math.min(...layers.values())
  if (!(count <= fewest))
    throw invalidOption({
      key: 'train',
      value: `top:${count}`,
      expected: layers.size > 0 ? `all, head, or top:1 to top:${fewest}` : 'all or head',
      try: { train: layers.size > 0 ? [`top:${fewest}`, 'all'] : ['all'] },
    })
  const top = new Set<string>()
  let open = false
  places.forEach((place, i) => {
    if (place) open = place.layer >= (layers.get(place.stack) as number) - count
    if (open) top.add(names[i])
  })
  return top
}
