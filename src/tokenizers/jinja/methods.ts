import {
  dictMethods,
  listMethods,
  rangeMethods,
  tupleMethods,
  viewMethods,
} from './container-methods.ts'
import { Dict, DictView } from './dict.ts'
import { markupMethod } from './markup-methods.ts'
import { floatMethods, integerMethods } from './number-methods.ts'
import { type Keywords, Markup, rawText, Tuple, type Value } from './objects.ts'
import { Range } from './sequences.ts'
import { textMethods } from './text-methods.ts'

/** Methods and attributes of a type by name. */
export type Members<T> = Readonly<Record<string, Member<T>>>

/** Returns a method of a value, or the value of an attribute. */
export type Member<T> = (self: T) => ((args: readonly Value[], keywords: Keywords) => Value) | Value

/** The method or attribute with this name of a value in Python. */
export function methodOf(value: Value, name: string): ReturnType<Member<Value>> | undefined {
  if (typeof value === 'string') return member(textMethods, name, value)
  if (Array.isArray(value)) return member(listMethods, name, value)
  if (value instanceof Dict) return member(dictMethods, name, value)
  if (value instanceof Markup) return markupMethod(name, member(textMethods, name, rawText(value)))
  if (value instanceof Tuple) return member(tupleMethods, name, value.items)
  if (typeof value === 'bigint') return member(integerMethods, name, value)
  if (typeof value === 'boolean') return member(integerMethods, name, BigInt(value))
  if (typeof value === 'number') return member(floatMethods, name, value)
  if (value instanceof Range) return member(rangeMethods, name, value)
  return value instanceof DictView ? member(viewMethods, name, value) : undefined
}

function member<T>(members: Members<T>, name: string, self: T): ReturnType<Member<T>> | undefined {
  return Object.hasOwn(members, name) ? members[name](self) : undefined
}
