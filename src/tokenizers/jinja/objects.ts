import { fail } from './failure.ts'
import type { Holder } from './limits.ts'

/**
 * A Python value in a template. `bigint` is int, `number` is float, an array is a list and null is None. All other
 * values are objects that implement their own operations.
 */
export type Value = null | boolean | bigint | number | string | Value[] | TemplateObject

/** A key of the JavaScript map behind a dictionary. Equal keys have equal hash keys. */
export type HashKey = string | bigint | number | null | TemplateObject

export type Keywords = ReadonlyMap<string, Value>

export abstract class TemplateObject implements Holder {
  /** Name of the type in Python, such as `dict`. */
  abstract readonly typeName: string
  /** Module of the type, for types that are not built in. */
  readonly module: string | undefined = undefined

  /** The values that this one keeps alive. */
  contents(): Iterable<Value> {
    return []
  }

  truth(): boolean {
    return this.length === undefined || this.length() > 0
  }

  length?(): number

  iterate?(): Iterator<Value>

  /** `object.name`; undefined if there is no such attribute. */
  attribute(_name: string): Value | undefined {
    return undefined
  }

  /** `object[key]`; undefined if there is no such item. Raises TypeError if items are not supported. */
  item(_key: Value): Value | undefined {
    return fail('TypeError', `'${this.typeName}' object is not subscriptable`)
  }

  call?(args: readonly Value[], keywords: Keywords): Value

  /** `this == other`. `equal` compares elements. */
  equals(other: Value, _equal: (a: Value, b: Value) => boolean): boolean {
    return this === other
  }

  /** The hash key; undefined for mutable values. */
  hash(_nested: (value: Value) => string): HashKey | undefined {
    return this
  }

  /** `str(this)`, if it differs from `repr(this)`. */
  shown?(): string

  /** `repr(this)`, without the address that Python shows. */
  repr(_nested: (value: Value) => string): string {
    return `<${this.module ? `${this.module}.` : ''}${this.typeName} object>`
  }
}

export const listsEqual = (
  a: readonly Value[],
  b: readonly Value[],
  equal: (a: Value, b: Value) => boolean,
): boolean => a.length === b.length && a.every((item, i) => equal(item, b[i]))

const TUPLE_KEY = '\0('

/** The hash key of a string, distinct from those of tuples. */
export const textKey = (text: string): HashKey => (text.startsWith('\0') ? `\0s${text}` : text)

/** An immutable sequence. */
export class Tuple extends TemplateObject {
  readonly typeName = 'tuple'
  readonly items: readonly Value[]

  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }

  override contents(): Iterable<Value> {
    return this.items
  }

  override length(): number {
    return this.items.length
  }

  override iterate(): Iterator<Value> {
    return this.items.values()
  }

  override equals(other: Value, equal: (a: Value, b: Value) => boolean): boolean {
    return other instanceof Tuple && listsEqual(this.items, other.items, equal)
  }

  override hash(nested: (value: Value) => string): HashKey {
    return TUPLE_KEY + this.items.map(nested).join('')
  }

  override repr(nested: (value: Value) => string): string {
    return this.items.length === 1
      ? `(${nested(this.items[0])},)`
      : `(${this.items.map(nested).join(', ')})`
  }
}

/** Safe HTML: a str that escapes values added to it. */
export class Markup extends TemplateObject {
  readonly typeName = 'Markup'
  override readonly module = 'markupsafe'
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }

  override contents(): Iterable<Value> {
    return [this.text]
  }

  override length(): number {
    return this.text.length
  }

  override shown(): string {
    return this.text
  }

  override hash(): HashKey {
    return textKey(this.text)
  }
}

export type Call = (args: readonly Value[], keywords: Keywords) => Value

/** A function, or a method of a value. */
export class Builtin extends TemplateObject {
  readonly typeName: string = 'builtin_function_or_method'
  readonly name: string
  private readonly self: Value | undefined
  private readonly body: Call

  constructor(name: string, body: Call, self?: Value) {
    super()
    this.name = name
    this.body = body
    this.self = self
  }

  override contents(): Iterable<Value> {
    return this.self === undefined ? [] : [this.self]
  }

  override call(args: readonly Value[], keywords: Keywords): Value {
    return this.body(args, keywords)
  }
}

/** An iterator, whose values can be read only once. */
export class Stream extends TemplateObject {
  readonly typeName: string
  private readonly values: Iterator<Value>
  private readonly sources: readonly Value[]

  constructor(values: Iterable<Value>, sources: readonly Value[], typeName = 'generator') {
    super()
    this.values = values[Symbol.iterator]()
    this.sources = sources
    this.typeName = typeName
  }

  override contents(): Iterable<Value> {
    return this.sources
  }

  override iterate(): Iterator<Value> {
    return { next: () => this.values.next() }
  }
}

export const isText = (value: Value | undefined): value is string | Markup =>
  typeof value === 'string' || value instanceof Markup

export const isInteger = (value: Value | undefined): value is bigint | boolean =>
  typeof value === 'bigint' || typeof value === 'boolean'

export const isNumber = (value: Value | undefined): value is bigint | boolean | number =>
  isInteger(value) || typeof value === 'number'

export const rawText = (value: string | Markup): string =>
  typeof value === 'string' ? value : value.text

/** The name of the type of a value in Python. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'object') return value.typeName
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'str'
  return typeof value === 'bigint' ? 'int' : 'float'
}
