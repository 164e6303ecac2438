import { equals } from './compare.ts'
import { Dict, DictView } from './dict.ts'
import { fail } from './failure.ts'
import { allocateList } from './limits.ts'
import type { Members } from './methods.ts'
import { isInteger, type Keywords, Tuple, type Value } from './objects.ts'
import { repr } from './repr.ts'
import { contains, iterate, listOf, type Range } from './sequences.ts'
import { method } from './signature.ts'

export const listMethods: Members<readonly Value[]> = {
  ...sequenceMethods('list', (value) => `${repr(value)} is not in list`),
  copy: (list) => method('list.copy', [], () => listOf([...list])),
}

export const tupleMethods: Members<readonly Value[]> = sequenceMethods(
  'tuple',
  () => 'tuple.index(x): x not in tuple',
)

export const rangeMethods: Members<Range> = {
  count: (range) => method('range.count', ['value'], ([value]) => BigInt(contains(range, value))),
  index: (range) =>
    method('range.index', ['value'], ([value]) => {
      const at = listOf(range).findIndex((item) => equals(item, value))
      return at < 0 ? fail('ValueError', `${repr(value)} is not in range`) : BigInt(at)
    }),
}

export const dictMethods: Members<Dict> = {
  keys: (dict) => method('dict.keys', [], () => new DictView(dict, 'keys')),
  values: (dict) => method('dict.values', [], () => new DictView(dict, 'values')),
  items: (dict) => method('dict.items', [], () => new DictView(dict, 'items')),
  get: (dict) =>
    method('dict.get', ['key', ['default', null]], ([key, byDefault]) => {
      const value = dict.get(key)
      return value === undefined ? byDefault : value
    }),
  copy: (dict) => method('dict.copy', [], () => Dict.from(dict.entries())),
  fromkeys: () => fromKeys,
}

export const viewMethods: Members<DictView> = {
  mapping: (view) => view.dict,
  isdisjoint: (view) =>
    view.kind === 'values'
      ? fail('TypeError', `'${view.typeName}' object has no attribute 'isdisjoint'`)
      : method(`${view.typeName}.isdisjoint`, ['other'], ([other]) => {
          for (const item of iterate(other)) if (contains(view, item)) return false
          return true
        }),
}

/** `dict.fromkeys(keys, value)`. */
export const fromKeys = method('dict.fromkeys', ['keys', ['value', null]], ([keys, value]) =>
  Dict.from(Array.from(iterate(keys), (key) => [key, value] as const)),
)

/** `dict(pairs, **keywords)`. */
export function makeDict(args: readonly Value[], keywords: Keywords): Value {
  if (args.length > 1) fail('TypeError', `dict expected at most 1 argument, got ${args.length}`)
  const [source] = args
  const dict = new Dict()
  if (source instanceof Dict) for (const [key, value] of source.entries()) dict.set(key, value)
  else if (source !== undefined)
    for (const [i, pair] of listOf(source).entries()) {
      const items = pairOf(pair, i)
      dict.set(items[0], items[1])
    }
  for (const [name, value] of keywords) dict.set(name, value)
  return dict
}

function pairOf(value: Value, i: number): Value[] {
  if (
    typeof value === 'bigint' ||
    typeof value === 'number' ||
    value === null ||
    typeof value === 'boolean'
  )
    return fail(
      'TypeError',
      `cannot convert dictionary update sequence element #${i} to a sequence`,
    )
  const items = listOf(value)
  if (items.length !== 2)
    fail(
      'ValueError',
      `dictionary update sequence element #${i} has length ${items.length}; 2 is required`,
    )
  return items
}

function sequenceMethods(
  type: string,
  notFound: (value: Value) => string,
): Members<readonly Value[]> {
  return {
    count: (list) =>
      method(`${type}.count`, ['value'], ([value]) =>
        BigInt(list.filter((item) => equals(item, value)).length),
      ),
    index: (list) =>
      method(`${type}.index`, ['value', ['start', 0n], ['stop', LAST]], ([value, start, stop]) => {
        const from = position(start, list.length)
        const at = list
          .slice(from, position(stop, list.length))
          .findIndex((item) => equals(item, value))
        return at < 0 ? fail('ValueError', notFound(value)) : BigInt(from + at)
      }),
  }
}

const LAST = 2n ** 62n

/** Resolves a negative index and clamps it to the list. */
function position(value: Value, length: number): number {
  if (!isInteger(value))
    return fail('TypeError', 'slice indices must be integers or have an __index__ method')
  const at = Number(value)
  return Math.min(Math.max(at < 0 ? at + length : at, 0), length)
}

/** A group of `groupby`: a pair whose elements also have names. */
export class Group extends Tuple {
  override attribute(name: string): Value | undefined {
    if (name === 'grouper') return this.items[0]
    return name === 'list' ? this.items[1] : undefined
  }
}

export const listWith = (items: readonly Value[], value: Value, count: number): Value[] => {
  allocateList(items.length + count)
  return [...items, ...Array.from({ length: count }, () => value)]
}
