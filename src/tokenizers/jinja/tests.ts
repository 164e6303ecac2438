import { isLower, isUpper } from './case.ts'
import { equals, inOrder, type OrderOperator } from './compare.ts'
import { Dict } from './dict.ts'
import type { Filter } from './filters.ts'
import { FILTERS } from './filters.ts'
import { hashKey } from './hash.ts'
import { isNumber, isText, Markup, TemplateObject, Tuple, type Value } from './objects.ts'
import { binary } from './operators.ts'
import { toText } from './repr.ts'
import { contains, isIterable, Range } from './sequences.ts'
import { type Parameter, withSignature } from './signature.ts'
import { Undefined } from './undefined.ts'

const test = (
  name: string,
  holds: (value: Value, other: Value) => boolean,
  parameters: readonly Parameter[] = ['value'],
): Filter => withSignature(name, parameters, ([value, other = null]) => holds(value, other))

const two = (name: string, holds: (value: Value, other: Value) => boolean): Filter =>
  test(name, holds, ['a', 'b'])

const equal = two('eq', equals)
const unequal = two('ne', (a, b) => !equals(a, b))
const ordered = (name: string, operator: OrderOperator): Filter =>
  two(name, (a, b) => inOrder(operator, a, b))
const [less, lessOrEqual, greater, greaterOrEqual] = [
  ordered('lt', '<'),
  ordered('le', '<='),
  ordered('gt', '>'),
  ordered('ge', '>='),
]

const remainder = (value: Value, divisor: Value): Value => binary('%', value, divisor)

const TABLE: Record<string, Filter> = {
  odd: test('test_odd', (value) => equals(remainder(value, 2n), 1n)),
  even: test('test_even', (value) => equals(remainder(value, 2n), 0n)),
  divisibleby: test('test_divisibleby', (value, by) => equals(remainder(value, by), 0n), [
    'value',
    'num',
  ]),
  defined: test('test_defined', (value) => !(value instanceof Undefined)),
  undefined: test('test_undefined', (value) => value instanceof Undefined),
  filter: test('test_filter', (value) => isKnown(FILTERS, value)),
  test: test('test_test', (value) => isKnown(TESTS, value)),
  none: test('test_none', (value) => value === null),
  boolean: test('test_boolean', (value) => typeof value === 'boolean'),
  false: test('test_false', (value) => value === false),
  true: test('test_true', (value) => value === true),
  integer: test('test_integer', (value) => typeof value === 'bigint'),
  float: test('test_float', (value) => typeof value === 'number'),
  lower: test('test_lower', (value) => isLower(toText(value))),
  upper: test('test_upper', (value) => isUpper(toText(value))),
  string: test('test_string', isText),
  mapping: test('test_mapping', (value) => value instanceof Dict),
  number: test('test_number', isNumber),
  sequence: test('test_sequence', isSequence),
  iterable: test('test_iterable', isIterable),
  callable: test('callable', (value) =>
    value instanceof TemplateObject && value.call !== undefined),
  sameas: test('test_sameas', (value, other) => value === other, ['value', 'other']),
  escaped: test('test_escaped', (value) => value instanceof Markup),
  in: test('test_in', (value, container) => contains(container, value), ['value', 'seq']),
  '==': equal,
  eq: equal,
  equalto: equal,
  '!=': unequal,
  ne: unequal,
  '>': greater,
  gt: greater,
  greaterthan: greater,
  ge: greaterOrEqual,
  '>=': greaterOrEqual,
  '<': less,
  lt: less,
  lessthan: less,
  '<=': lessOrEqual,
  le: lessOrEqual,
}

/** The tests of Jinja, after `is`. */
export const TESTS: ReadonlyMap<string, Filter> = new Map(Object.entries(TABLE))

/** Whether a value has a length and items. An undefined value raises when its items are requested. */
function isSequence(value: Value): boolean {
  return (
    Array.isArray(value) ||
    isText(value) ||
    [Tuple, Dict, Range, Undefined].some((type) => value instanceof type)
  )
}

function isKnown(names: ReadonlyMap<string, unknown>, value: Value): boolean {
  const key = hashKey(value)
  return typeof key === 'string' && names.has(key)
}
