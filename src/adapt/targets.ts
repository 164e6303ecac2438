// Which layers an adapter is attached to.
import { type AdapterTargets, isBelow } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { matchesWhole } from './patterns.ts'
import { adapterTargetsOf, classOf, type Place, placesIn } from './places.ts'

/**
 * Names of layers (`q_proj`, or the end of a path such as `mlp.c_proj`), a regular expression that must match the whole
 * path, or `all-linear`: every linear layer except the output layer.
 */
export type Targets = readonly string[] | RegExp | 'all-linear'

/** Restricts the layers of an adapter. */
export interface Selection {
  /** Layers to adapt. */
  readonly targets: Targets
  /** Layers that are left out: names, or a regular expression. */
  readonly exclude?: readonly string[] | RegExp
  /** Numbers of the layers of the model to adapt. Default: all. */
  readonly layers?: readonly number[] | null
  /** Modules that are trained whole, which get no adapter. */
  readonly save?: readonly string[]
}

/**
 * Returns the layers that the selection names.
 * @throws HeedError if there is none, with the most similar names
 */
export function selectPlaces(model: Module, selection: Selection): Place[] {
  const { targets, exclude = [], layers = null, save = [] } = selection
  const all = placesIn(model)
  const isTarget =
    targets === 'all-linear' ? isInner(model) : (place: Place) => matches(targets, place)
  const found = all.filter(
    (place) =>
      isTarget(place) &&
      !matches(exclude, place) &&
      !save.some((name) => isPartOf(place.path, name)) &&
      (layers === null || layers.includes(layerNumber(place.path))),
  )
  checkEachTarget(model, targets, all)
  if (found.length > 0) return found
  if (
    layers !== null &&
    all.some(isTarget) &&
    !all.some(({ path }) => layers.includes(layerNumber(path)))
  )
    throw noSuchLayer(model, layers, all)
  const what = targets === 'all-linear' ? targets : shown(targets instanceof RegExp ? targets.source : targets) // biome-ignore format: one line
  throw new HeedError(
    'unknown-name',
    `\`targets\` must select one or more layers of ${model.constructor.name}, got ${what}, which selects none`,
    { key: 'targets', value: targets, remedy: `Layers: ${lastNames(all).join(', ')}.` },
  )
}

function noSuchLayer(model: Module, layers: readonly number[], all: readonly Place[]): HeedError {
  const last = Math.max(...all.map(({ path }) => layerNumber(path)).filter(Number.isFinite))
  const count = `The layers of an adapter of ${model.constructor.name} must be from 0 to ${last}`
  return new HeedError('invalid-option', `${count}, got ${layers.join(', ')}`, { key: 'layers', value: layers }) // biome-ignore format: one line
}

/** Names of the modules whose path ends with one of the names. @throws HeedError for a name that no module has */
export function selectModules(model: Module, names: readonly string[]): [string, Module][] {
  const all = model.namedModules()
  return names.flatMap((name) => {
    const found = all.filter(([path]) => endsWith(path, name))
    if (found.length > 0) return found
    const known = [...new Set(all.map(([path]) => path.split('.').at(-1) ?? ''))].filter(Boolean)
    throw new HeedError(
      'unknown-name',
      `\`save\` must name modules of ${model.constructor.name}, got ${shown(name)}`,
      { key: 'save', value: name, remedy: `Did you mean ${nearestFirst(name, known).slice(0, 3).join(', ')}?` }, // biome-ignore format: one line
    )
  })
}

/** Whether the path of a module ends with the name. */
export const hasModule = (model: Module, name: string): boolean =>
  model.namedModules().some(([path]) => endsWith(path, name))

/**
 * Whether a list has the name of the layer, or the end of its path; a regular expression must match the whole path. Names
 * of peft count as well.
 */
export function matches(
  targets: readonly string[] | RegExp,
  { path, peftPath }: Pick<Place, 'path' | 'peftPath'>,
): boolean {
  const paths = [path, peftPath]
  if (targets instanceof RegExp) return paths.some((name) => matchesWhole(targets.source, name))
  return targets.some((target) => paths.some((name) => endsWith(name, target)))
}

const endsWith = (path: string, name: string): boolean => path === name || path.endsWith(`.${name}`)

/** Whether a path contains the name as one of its parts. */
const isPartOf = (path: string, name: string): boolean => `.${path}.`.includes(`.${name}.`)

/** The first number in a path, after two or more names: 3 in `transformer.h.3.attn.c_attn`. */
export function layerNumber(path: string): number {
  return Number(/^.*?\.?[^.]+\.(\d+)\./.exec(path)?.[1] ?? Number.NaN)
}

/** Linear layers below the head: outputs have other shapes and meanings for each task. */
function isInner(model: Module): (place: Place) => boolean {
  const bases = [classOf(model).base ?? []].flat()
  return ({ kind, path }) => kind === 'linear' && (bases.length === 0 || isBelow(path, bases))
}

function checkEachTarget(model: Module, targets: Targets, all: readonly Place[]): void {
  if (targets instanceof RegExp || targets === 'all-linear') return
  const lost = targets.find((name) => !all.some((place) => matches([name], place)))
  if (lost === undefined) return
  throw new HeedError(
    'unknown-name',
    `\`targets\` must name layers of ${model.constructor.name}, got ${shown(lost)}`,
    {
      key: 'targets',
      value: lost,
      remedy: `Did you mean ${nearestFirst(lost, lastNames(all)).slice(0, 3).join(', ')}?`,
    },
  )
}

const lastNames = (places: readonly Place[]): string[] => [
  ...new Set(places.map(({ path }) => path.replace(/^.*?(\w+)$/, '$1'))),
]

/** The layers that adapters change by default in the family of the model. @throws HeedError if it declares none */
export function familyTargets(model: Module): AdapterTargets {
  const targets = adapterTargetsOf(model)
  if (targets) return targets
  throw new HeedError(
    'invalid-option',
    `\`targets\` must be given for ${model.constructor.name}, which has no default`,
    { key: 'targets', remedy: 'Use `targets` all-linear, or names of layers.' },
  )
}
