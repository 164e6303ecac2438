import { fail } from './failure.ts'
import { spend, spendText } from './limits.ts'
import { compareNumbers, type Numeric } from './numbers.ts'
import {
  isNumber,
  isText,
  listsEqual,
  Markup,
  rawText,
  TemplateObject,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { Undefined } from './undefined.ts'

/** `a == b`. */
export function equals(a: Value, b: Value): boolean {
  spend(1)
  if (a === b) return true
  if (isText(a) && isText(b)) return rawText(a) === rawText(b)
  if (isNumber(a) && isNumber(b)) return compareNumbers(numeric(a), numeric(b)) === 0
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b, equals)
  if (a instanceof TemplateObject && !(a instanceof Markup)) return a.equals(b, equals)
  return false
}

export type OrderOperator = '<' | '<=' | '>' | '>='

/** `a < b` and so on. Raises TypeError for values without an order. */
export function inOrder(operator: OrderOperator, a: Value, b: Value): boolean {
  spend(1)
  if (isNumber(a) && isNumber(b)) return holds(operator, compareNumbers(numeric(a), numeric(b)))
  if (isText(a) && isText(b)) return holds(operator, compareTexts(rawText(a), rawText(b)))
  const [left, right] = [itemsOf(a), itemsOf(b)]
  if (left && right && typeName(a) === typeName(b)) {
    const at = left.findIndex((item, i) => i >= right.length || !equals(item, right[i]))
    if (at >= 0 && at < right.length) return inOrder(operator, left[at], right[at])
    return holds(operator, left.length - right.length)
  }
  if (a instanceof Undefined) a.raise()
  if (b instanceof Undefined) b.raise()
  return fail(
    'TypeError',
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  )
}

/** Sorts stably by keys, like Python. */
export function sorted<T>(items: readonly T[], keyOf: (item: T) => Value, reverse = false): T[] {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }))
  spend(keyed.length * Math.log2(keyed.length + 1))
  if (reverse) keyed.reverse() // reversed again below, so that equal items keep their order
  keyed.sort((a, b) => {
    if (inOrder('<', a.key, b.key)) return -1
    return inOrder('<', b.key, a.key) ? 1 : 0
  })
  const result = keyed.map(({ item }) => item)
  return reverse ? result.reverse() : result
}

export const numeric = (value: bigint | boolean | number): Numeric =>
  typeof value === 'boolean' ? BigInt(value) : value

const holds = (operator: OrderOperator, order: number): boolean =>
  operator === '<'
    ? order < 0
    : operator === '<='
      ? order <= 0
      : operator === '>'
        ? order > 0
        : order >= 0

function itemsOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value
  return value instanceof Tuple ? value.items : undefined
}

/** Compares by code points, while JavaScript compares UTF-16 units. */
function compareTexts(a: string, b: string): number {
  spendText(Math.min(a.length, b.length))
  if (a === b) return 0
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : 1
  const [left, right] = [Array.from(a), Array.from(b)]
  const at = left.findIndex((character, i) => character !== right[i])
  if (at < 0 || at >= right.length) return left.length - right.length
  return (left[at].codePointAt(0) ?? 0) - (right[at].codePointAt(0) ?? 0)
}

const SURROGATE = /[\ud800-\udfff]/
