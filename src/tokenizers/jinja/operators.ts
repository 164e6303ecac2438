import { numeric } from './compare.ts'
import { fail } from './failure.ts'
import { escaped, escapeHtml } from './html.ts'
import { allocateList, allocateText } from './limits.ts'
import { arithmetic, type NumericOperator } from './numbers.ts'
import {
  isInteger,
  isNumber,
  isText,
  Markup,
  rawText,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { printf } from './printf.ts'
import { Undefined } from './undefined.ts'

/** `left operator right`. */
export function binary(operator: NumericOperator, left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) return arithmetic(operator, numeric(left), numeric(right))
  if (left instanceof Undefined) left.raise()
  if (operator === '%' && isText(left)) return formatted(left, right)
  if (right instanceof Undefined) right.raise()
  if (operator === '+') return concatenated(left, right)
  if (operator === '*') return repeated(left, right)
  return unsupported(operator, left, right)
}

/** `-value` or `+value`. */
export function unary(operator: '-' | '+', value: Value): Value {
  if (value instanceof Undefined) value.raise()
  if (!isNumber(value))
    fail('TypeError', `bad operand type for unary ${operator}: '${typeName(value)}'`)
  const number = numeric(value)
  return operator === '-' ? -number : number
}

function concatenated(left: Value, right: Value): Value {
  if (isText(left) && isText(right)) {
    allocateText(Math.min(rawText(left).length, rawText(right).length) + 16)
    if (typeof left === 'string' && typeof right === 'string') return left + right
    return new Markup(escaped(left).text + escaped(right).text)
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    allocateList(left.length + right.length)
    return [...left, ...right]
  }
  if (left instanceof Tuple && right instanceof Tuple) {
    allocateList(left.items.length + right.items.length)
    return new Tuple([...left.items, ...right.items])
  }
  const type = typeName(left)
  if (typeof left === 'string' || Array.isArray(left) || left instanceof Tuple)
    fail('TypeError', `can only concatenate ${type} (not "${typeName(right)}") to ${type}`)
  return unsupported('+', left, right)
}

function repeated(left: Value, right: Value): Value {
  const [sequence, count] = isSequence(left) ? [left, right] : [right, left]
  if (!isSequence(sequence)) return unsupported('*', left, right)
  if (!isInteger(count))
    return fail('TypeError', `can't multiply sequence by non-int of type '${typeName(count)}'`)
  const times = Math.min(Math.max(Number(count), 0), 2 ** 40)
  if (isText(sequence)) {
    const text = rawText(sequence)
    allocateText(text.length * times)
    const result = text === '' ? '' : text.repeat(times)
    return typeof sequence === 'string' ? result : new Markup(result)
  }
  const items = Array.isArray(sequence) ? sequence : sequence.items
  allocateList(items.length * times)
  const result = Array.from({ length: items.length * times }, (_, i) => items[i % items.length])
  return Array.isArray(sequence) ? result : new Tuple(result)
}

const isSequence = (value: Value): value is string | Markup | Value[] | Tuple =>
  isText(value) || Array.isArray(value) || value instanceof Tuple

/** `format % values`. A format of safe HTML escapes its values. */
export function formatted(format: string | Markup, values: Value): Value {
  if (typeof format === 'string') return printf(format, values)
  return new Markup(printf(format.text, values, escapeHtml))
}

function unsupported(operator: string, left: Value, right: Value): never {
  const name = operator === '**' ? '** or pow()' : operator
  return fail(
    'TypeError',
    `unsupported operand type(s) for ${name}: '${typeName(left)}' and '${typeName(right)}'`,
  )
}
