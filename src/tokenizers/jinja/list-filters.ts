import { integerOf } from './arguments.ts'
import { attributeGetter, attributesGetter, caseless } from './attribute-path.ts'
import { charactersOf } from './characters.ts'
import { equals, inOrder, sorted } from './compare.ts'
import { Group, listWith } from './container-methods.ts'
import { Dict, DictView } from './dict.ts'
import type { Environment } from './evaluator.ts'
import { fail } from './failure.ts'
import type { Filter } from './filters.ts'
import { hashKey } from './hash.ts'
import { escaped } from './html.ts'
import { allocateText, spend } from './limits.ts'
import {
  type HashKey,
  isText,
  Markup,
  rawText,
  Stream,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { binary } from './operators.ts'
import { toText } from './repr.ts'
import { isIterable, iterate, lengthOf, listOf, Range, truth } from './sequences.ts'
import { type Parameter, withSignature } from './signature.ts'
import { lacksAttribute, Undefined } from './undefined.ts'

const CASE: Parameter = ['case_sensitive', false]
const ATTRIBUTE: Parameter = ['attribute', null]

/** Filters that take the environment as an argument in Python. Error messages count it. */
const withEnvironment = (
  name: string,
  parameters: readonly Parameter[],
  body: (values: Value[], environment: Environment) => Value,
): Filter => withSignature(name, parameters, body, { hidden: 1 })

const onValue = (
  name: string,
  parameters: readonly Parameter[],
  body: (values: Value[]) => Value,
): Filter => withSignature(name, parameters, body)

const length = onValue('len', ['obj'], ([value]) => BigInt(lengthOf(value)))

const byDefault = onValue(
  'do_default',
  ['value', ['default_value', ''], ['boolean', false]],
  ([value, otherwise, boolean]) =>
    value instanceof Undefined || (truth(boolean) && !truth(value)) ? otherwise : value,
)

export const listFilters: Record<string, Filter> = {
  length,
  count: length,
  default: byDefault,
  d: byDefault,
  list: onValue('do_list', ['value'], ([value]) => listOf(value)),
  first: withEnvironment('do_first', ['seq'], ([value]) => {
    for (const item of iterate(value)) return item
    return new Undefined({ hint: 'No first item, sequence was empty.' })
  }),
  last: withEnvironment('do_last', ['seq'], ([value]) => {
    const items = reversible(value)
    return (
      items.at(-1) ??
      (items.length > 0 ? null : new Undefined({ hint: 'No last item, sequence was empty.' }))
    )
  }),
  random: withEnvironment('do_random', ['seq'], ([value]) => {
    const items = listOf(value)
    return items.length > 0
      ? items[Math.floor(Math.random() * items.length)]
      : new Undefined({ hint: 'No random item, sequence was empty.' })
  }),
  reverse: onValue('do_reverse', ['value'], ([value]) => {
    if (isText(value)) {
      const text = charactersOf(rawText(value)).reverse().join('')
      allocateText(text.length)
      return typeof value === 'string' ? text : new Markup(text)
    }
    if (!isIterable(value)) fail('FilterArgumentError', 'argument must be iterable')
    return new Stream([...reversible(value, true)].reverse(), [value], 'list_reverseiterator')
  }),
  join: withEnvironment('do_join', ['value', ['d', ''], ATTRIBUTE], join),
  sort: withEnvironment(
    'do_sort',
    ['value', ['reverse', false], CASE, ATTRIBUTE],
    ([value, reverse, caseSensitive, attribute]) =>
      sorted(listOf(value), attributesGetter(attribute, !truth(caseSensitive)), truth(reverse)),
  ),
  unique: withEnvironment(
    'do_unique',
    ['value', CASE, ATTRIBUTE],
    ([value, caseSensitive, attribute]) =>
      new Stream(unique(value, attributeGetter(attribute, { ignoreCase: !truth(caseSensitive) })), [
        value,
      ]),
  ),
  min: withEnvironment('do_min', ['value', CASE, ATTRIBUTE], (values) => extreme(values, '<')),
  max: withEnvironment('do_max', ['value', CASE, ATTRIBUTE], (values) => extreme(values, '>')),
  sum: withEnvironment(
    'do_sum',
    ['iterable', ATTRIBUTE, ['start', 0n]],
    ([value, attribute, start]) => {
      if (isText(start)) fail('TypeError', "sum() can't sum strings [use ''.join(seq) instead]")
      const getter = attributeGetter(attribute)
      let total: Value = start
      for (const item of iterate(value)) total = binary('+', total, getter(item))
      return total
    },
  ),
  groupby: withEnvironment('do_groupby', ['value', 'attribute', ['default', null], CASE], groupBy),
  dictsort: onValue(
    'do_dictsort',
    ['value', CASE, ['by', 'key'], ['reverse', false]],
    ([value, caseSensitive, by, reverse]) => {
      const at = ['key', 'value'].indexOf(toText(by))
      if (at < 0) fail('FilterArgumentError', 'You can only sort by either "key" or "value"')
      if (!(value instanceof Dict)) return lacksAttribute(value, 'items')
      const keyOf = (item: Tuple) =>
        truth(caseSensitive) ? item.items[at] : caseless(item.items[at])
      const pairs = Array.from(value.entries(), (pair) => new Tuple(pair))
      return sorted(pairs, keyOf, truth(reverse))
    },
  ),
  items: onValue('do_items', ['value'], ([value]) => {
    if (!(value instanceof Dict) && !(value instanceof Undefined))
      fail('TypeError', 'Can only get item pairs from a mapping.')
    const pairs = value instanceof Dict ? new DictView(value, 'items') : []
    return new Stream(pairs, [value])
  }),
  batch: onValue(
    'do_batch',
    ['value', 'linecount', ['fill_with', null]],
    ([value, count, filling]) => new Stream(batches(value, count, filling), [value]),
  ),
  slice: onValue(
    'do_slice',
    ['value', 'slices', ['fill_with', null]],
    ([value, count, filling]) =>
      new Stream(slices(listOf(value), integerOf(count), filling), [value]),
  ),
}

/** Values that can be reversed, unlike those of generators. */
function reversible(value: Value, listsOthers = false): Value[] {
  const isOrdered =
    Array.isArray(value) ||
    isText(value) ||
    [Tuple, Dict, DictView, Range, Undefined].some((type) => value instanceof type)
  if (isOrdered || listsOthers) return listOf(value)
  return fail('TypeError', `'${typeName(value)}' object is not reversible`)
}

function join([value, separator, attribute]: Value[], { autoescape }: Environment): Value {
  const getter = attributeGetter(attribute)
  const items = Array.from(iterate(value), getter)
  const safe = autoescape && [separator, ...items].some((item) => item instanceof Markup)
  const text = (item: Value) => (safe ? escaped(item).text : toText(item))
  const between = text(separator)
  const pieces: string[] = []
  for (const item of items) {
    const piece = text(item)
    allocateText(piece.length + between.length)
    pieces.push(piece)
  }
  const result = pieces.join(between)
  return safe ? new Markup(result) : result
}

function* unique(value: Value, keyOf: (item: Value) => Value): Generator<Value, undefined> {
  const known = new Set<HashKey>()
  for (const item of iterate(value)) {
    spend(1)
    const hash = hashKey(keyOf(item))
    if (known.has(hash)) continue
    known.add(hash)
    yield item
  }
}

function extreme([value, caseSensitive, attribute]: Value[], operator: '<' | '>'): Value {
  const keyOf = attributeGetter(attribute, { ignoreCase: !truth(caseSensitive) })
  let best: { item: Value; key: Value } | undefined
  for (const item of iterate(value)) {
    const key = keyOf(item)
    if (best === undefined || inOrder(operator, key, best.key)) best = { item, key }
  }
  return best ? best.item : new Undefined({ hint: 'No aggregated item, sequence was empty.' })
}

function groupBy([value, attribute, otherwise, caseSensitive]: Value[]): Value {
  const keyOf = attributeGetter(attribute, {
    ignoreCase: !truth(caseSensitive),
    byDefault: otherwise,
  })
  const shownKey = attributeGetter(attribute, { byDefault: otherwise })
  const groups: { key: Value; items: Value[] }[] = []
  for (const item of sorted(listOf(value), keyOf)) {
    const key = keyOf(item)
    const last = groups[groups.length - 1]
    if (last && equals(last.key, key)) last.items.push(item)
    else groups.push({ key, items: [item] })
  }
  return groups.map(({ items }) => new Group([shownKey(items[0]), items]))
}

function* batches(value: Value, count: Value, filling: Value): Generator<Value, undefined> {
  const size = integerOf(count)
  let batch: Value[] = []
  for (const item of iterate(value)) {
    if (batch.length === size) {
      yield batch
      batch = []
    }
    batch.push(item)
  }
  if (batch.length === 0) return
  yield filling === null ? batch : listWith(batch, filling, Math.max(0, size - batch.length))
}

function* slices(items: Value[], count: number, filling: Value): Generator<Value, undefined> {
  if (count === 0) fail('ZeroDivisionError', 'integer division or modulo by zero')
  const size = Math.floor(items.length / count)
  const larger = items.length % count
  for (let i = 0, start = 0; i < count; i++) {
    const end = start + size + (i < larger ? 1 : 0)
    const slice = items.slice(start, end)
    spend(1)
    yield filling !== null && i >= larger ? listWith(slice, filling, 1) : slice
    start = end
  }
}
