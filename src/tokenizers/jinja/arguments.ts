import { fail } from './failure.ts'
import { isInteger, isText, rawText, typeName, type Value } from './objects.ts'

// Checks of argument types.

export function textOf(value: Value, otherwise = 'must be str'): string {
  return isText(value) ? rawText(value) : fail('TypeError', `${otherwise}, not ${typeName(value)}`)
}

export function integerOf(value: Value): number {
  if (!isInteger(value))
    return fail('TypeError', `'${typeName(value)}' object cannot be interpreted as an integer`)
  return Math.min(Math.max(Number(value), -(2 ** 40)), 2 ** 40)
}
