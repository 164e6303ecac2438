import { fail } from './failure.ts'
import type { Holder } from './limits.ts'
import { Namespace } from './namespace.ts'
import type { Target } from './nodes.ts'
import { typeName, type Value } from './objects.ts'
import { isIterable, iterate } from './sequences.ts'

/** Variables of a block. Other names are looked up in the parent scope. */
export class Scope implements Holder {
  private readonly variables = new Map<string, Value>()
  private readonly parent: Scope | undefined

  constructor(parent?: Scope) {
    this.parent = parent
  }

  get(name: string): Value | undefined {
    return this.variables.get(name) ?? this.outer(name)
  }

  set(name: string, value: Value): void {
    this.variables.set(name, value)
  }

  clear(): void {
    this.variables.clear()
  }

  /** Assigns to a name, to an attribute of a namespace, or to several targets. */
  assign(target: Target, value: Value): void {
    if (target.kind === 'store') this.set(target.name, value)
    else if (target.kind === 'namespace') this.namespace(target.name).set(target.attribute, value)
    else {
      const values = unpacked(value, target.items.length)
      for (const [i, item] of target.items.entries()) this.assign(item, values[i])
    }
  }

  /** The namespace with this name. Raises if the value is not a namespace. */
  namespace(name: string): Namespace {
    const value = this.get(name)
    if (value instanceof Namespace) return value
    return fail('TemplateRuntimeError', 'cannot assign attribute on non-namespace object')
  }

  /** Excludes the outermost scope, because the caller's variables are not memory of the template. */
  *contents(): Generator<Value> {
    if (!this.parent) return
    yield* this.variables.values()
    yield* this.parent.contents()
  }

  private outer(name: string): Value | undefined {
    // Null is the value None, which `??` above treats as missing.
    if (this.variables.has(name)) return null
    return this.parent?.get(name)
  }
}

/** Unpacks exactly `count` values, for an assignment to several names. */
export function unpacked(value: Value, count: number): Value[] {
  const values: Value[] = []
  if (!isIterable(value)) fail('TypeError', `cannot unpack non-iterable ${typeName(value)} object`)
  for (const item of iterate(value)) {
    if (values.length === count) fail('ValueError', `too many values to unpack (expected ${count})`)
    values.push(item)
  }
  if (values.length < count)
    fail('ValueError', `not enough values to unpack (expected ${count}, got ${values.length})`)
  return values
}
