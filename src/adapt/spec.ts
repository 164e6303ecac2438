// The configuration of an adapter: an object, or a text such as `lora:r=16,targets=all-linear`.
import type { z } from 'zod'
import { HeedError, invalidOption, shown } from '../util/errors.ts'
import { unknownName } from '../util/registry.ts'
import { adapterMethod } from './method.ts'
import type { Selection, Targets } from './targets.ts'

/** Which layers an adapter is attached to, and the options of its method. */
export interface AdapterSpec {
  /** Name of the method, such as `lora`. */
  readonly method: string
  /** Default: the layers that peft adapts in this family. */
  readonly targets?: Targets
  /** Layers that are left out: names, or a regular expression. Default: none. */
  readonly exclude?: Selection['exclude']
  /** Numbers of the layers of the model to adapt, from 0. Default: all. */
  readonly layers?: readonly number[]
  /** Modules that are trained whole and saved with the adapter, such as a new head. */
  readonly save?: readonly string[]
  /** Options of the method: `r`, `alpha` … */
  readonly [option: string]: unknown
}

/** A checked specification. */
export interface ParsedSpec<Options = Record<string, unknown>> extends Omit<Selection, 'targets'> {
  /** Name of the method, such as `lora`. */
  readonly method: string
  /** Layers to adapt; undefined for those that peft adapts in this family. */
  readonly targets: Targets | undefined
  readonly save: readonly string[]
  /** Checked options of the method, with defaults. */
  readonly options: Options
}

/**
 * Checks a specification.
 * @throws HeedError for an unknown method, with the most similar names, and for unknown or invalid options
 */
export function parseAdapterSpec(spec: string | AdapterSpec): ParsedSpec {
  if (typeof spec === 'string') return parseAdapterSpec(fromText(spec))
  if (typeof spec !== 'object' || spec === null || typeof spec.method !== 'string')
    throw invalidOption({
      key: 'adapter',
      value: spec,
      expected: 'a text such as lora:r=16, or an object with `method`',
    })
  const { method, targets, exclude, layers, save = [], ...rest } = spec
  checkLists({ targets, exclude, layers, save })
  const { options, selection } = adapterMethod(method)
  const common = [...selection, 'save']
  const given = Object.entries({ targets, exclude, layers }).filter(
    ([, value]) => value !== undefined && value !== null,
  )
  const strange = given.find(([key]) => !common.includes(key))
  if (strange) throw unknownOption(method, strange[0], options, common)
  return {
    method,
    targets,
    exclude,
    layers,
    save,
    options: parseOptions(method, options, rest, common),
  }
}

const unknownOption = (
  method: string,
  key: string,
  { shape }: z.ZodObject,
  common: readonly string[],
): HeedError =>
  unknownName(`option of ${method}`, key, [...Object.keys(shape), ...common], 'adapter')

function parseOptions(
  method: string,
  schema: z.ZodObject,
  given: Record<string, unknown>,
  common: readonly string[],
): Record<string, unknown> {
  const strange = Object.keys(given).find((key) => !Object.hasOwn(schema.shape, key))
  if (strange !== undefined) throw unknownOption(method, strange, schema, common)
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const [{ path, message }] = parsed.error.issues
  const key = String(path[0])
  throw new HeedError(
    'invalid-option',
    `The option ${key} of ${method} must be valid, got ${shown(given[key])}: ${message}`,
    {
      // biome-ignore format: one line
      key,
      value: given[key],
      remedy: `${key}: ${schema.shape[key]?.description}.`,
    },
  )
}

function checkLists(lists: Record<string, unknown>): void {
  const isNames = (value: unknown): boolean =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === 'string' && name !== '')
  const rules: Record<string, [string, (value: unknown) => boolean]> = {
    targets: ['names of layers, a regular expression, or all-linear', (value) => value === 'all-linear' || value instanceof RegExp || isNames(value)],
    exclude: ['names of layers, or a regular expression', (value) => value instanceof RegExp || isNames(value)],
    layers: ['numbers of layers, from 0', (value) => Array.isArray(value) && value.length > 0 && value.every((n) => Number.isInteger(n) && n >= 0)],
    save: ['names of modules', (value) => (Array.isArray(value) && value.length === 0) || isNames(value)],
  } // biome-ignore format: a table
  for (const [key, [expected, fits]] of Object.entries(rules))
    if (lists[key] !== undefined && lists[key] !== null && !fits(lists[key]))
      throw invalidOption({ key, value: lists[key], expected })
}

/** Reads `method:key=value,key`; a key without a value is true. Lists are written with `+`, regular expressions as /…/. */
function fromText(text: string): AdapterSpec {
  const [, method, rest = ''] = /^\s*([^:]*?)\s*(?::(.*))?$/s.exec(text) ?? []
  const spec: AdapterSpec & Record<string, unknown> = Object.assign(Object.create(null), { method })
  for (const [key, value] of splitPairs(rest, text)) {
    if (key === 'method' || Object.hasOwn(spec, key)) throw twice(key, text)
    spec[key] = value === true ? value : optionValue(key, value)
  }
  return spec
}

function splitPairs(rest: string, text: string): [string, string | true][] {
  if (rest.trim() === '') return []
  // Commas within /…/ and {…} belong to the value.
  const pieces = rest.match(/(?:\/(?:\\.|[^/\\])*\/|\{[^}]*\}|[^,])+/g) ?? []
  return pieces.map((part) => {
    const at = part.indexOf('=')
    if (at > 0) return [part.slice(0, at).trim(), part.slice(at + 1).trim()]
    if (/^\s*[a-zA-Z]+\s*$/.test(part)) return [part.trim(), true]
    throw new HeedError(
      'invalid-option',
      `\`adapter\` must be a method with options as key=value, got ${shown(part)} in ${shown(text)}`,
      { key: 'adapter', value: text, remedy: 'Write it like lora:r=16,targets=q_proj+v_proj.' },
    )
  })
}

function optionValue(key: string, text: string): unknown {
  const pattern = /^\/(.*)\/$/s.exec(text)
  if (pattern) return expression(key, pattern[1])
  if (text.startsWith('{')) return jsonOf(key, text)
  if (key === 'targets' && text === 'all-linear') return text
  if (key === 'layers') return text.split('+').flatMap(range)
  if (LISTS.has(key)) return text.split('+').map((name) => name.trim())
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

const LISTS = new Set(['targets', 'exclude', 'save', 'feedForward'])

/** Reads `3` or `0-5`. */
function range(text: string): number[] {
  const [, from, to = from] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(text) ?? []
  if (from === undefined || Number(to) < Number(from))
    throw new HeedError('invalid-option', `The layers of an adapter must be numbers such as 3, or ranges such as 0-5, joined by +, got ${shown(text)}`, { key: 'layers', value: text }) // biome-ignore format: one line
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i)
}

function expression(key: string, source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch (cause) {
    throw new HeedError('invalid-option', `\`${key}\` must be a valid regular expression, got /${source}/`, { key, value: source, cause, remedy: String(cause) }) // biome-ignore format: one line
  }
}

function jsonOf(key: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HeedError('invalid-option', `\`${key}\` must be a JSON object, got ${shown(text)}`, { key, value: text, cause }) // biome-ignore format: one line
  }
}

const twice = (key: string, text: string): HeedError =>
  new HeedError('invalid-option', `\`adapter\` must name each option once, got ${key} twice in ${shown(text)}`, { key: 'adapter', value: text }) // biome-ignore format: one line
