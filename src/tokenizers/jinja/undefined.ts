import { type FailureType, fail } from './failure.ts'
import { type HashKey, TemplateObject, typeName, type Value } from './objects.ts'
import { repr, typeDescription } from './repr.ts'

interface Origin {
  hint?: string
  /** The value that has no such name. */
  owner?: Value
  name?: Value
  raises?: FailureType
}

/** An undefined value. It can be printed, tested and iterated; all other operations raise. */
export class Undefined extends TemplateObject {
  readonly typeName = 'Undefined'
  override readonly module = 'jinja2.runtime'
  private readonly origin: Origin

  constructor(origin: Origin) {
    super()
    this.origin = origin
  }

  override length(): number {
    return 0
  }

  override iterate(): Iterator<Value> {
    return [].values()
  }

  override attribute(): never {
    return this.raise()
  }

  override item(): never {
    return this.raise()
  }

  override call(): never {
    return this.raise()
  }

  override equals(other: Value): boolean {
    return other instanceof Undefined
  }

  override hash(): HashKey {
    return UNDEFINED_KEY
  }

  override shown(): string {
    return ''
  }

  override repr(): string {
    return 'Undefined'
  }

  raise(): never {
    return fail(this.origin.raises ?? 'UndefinedError', this.message())
  }

  message(): string {
    const { hint, owner, name = null } = this.origin
    if (hint !== undefined) return hint
    if (owner === undefined) return `${repr(name)} is undefined`
    if (typeof name !== 'string') return `${typeDescription(owner)} has no element ${repr(name)}`
    return `${repr(typeDescription(owner))} has no attribute ${repr(name)}`
  }
}

/** Raises Python's error for a call of a missing method. */
export function lacksAttribute(value: Value, name: string): never {
  if (value instanceof Undefined) value.raise()
  return fail('AttributeError', `'${typeName(value)}' object has no attribute ${repr(name)}`)
}

const UNDEFINED_KEY = '\0undefined'
