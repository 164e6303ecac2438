import { equals } from './compare.ts'
import { fail } from './failure.ts'
import { collect } from './limits.ts'
import { Builtin, type Keywords, TemplateObject, Tuple, type Value } from './objects.ts'
import { Undefined } from './undefined.ts'

type Recurse = (items: Value, depth: number) => Value

/** The variable `loop`. It reads ahead only if a following item is requested. */
export class Loop extends TemplateObject {
  readonly typeName = 'LoopContext'
  override readonly module = 'jinja2.runtime'
  private readonly depth0: number
  private readonly recurse: Recurse | undefined
  private iterator: Iterator<Value>
  /** Number of items, if the iterable has a length. */
  private count: number | undefined
  private index0 = -1
  private current: Value | undefined
  private before: Value | undefined
  private after: Value | undefined
  private lastChanged: Tuple | undefined

  constructor(
    values: Iterable<Value>,
    count: number | undefined,
    depth0: number,
    recurse?: Recurse,
  ) {
    super()
    this.iterator = values[Symbol.iterator]()
    this.count = count
    this.depth0 = depth0
    this.recurse = recurse
  }

  override contents(): Iterable<Value> {
    const values = [this.current, this.before, this.after, this.lastChanged]
    return values.filter((value) => value !== undefined)
  }

  /** Advances to the next item; undefined after the last. */
  next(): Value | undefined {
    const value = this.peek()
    if (value === undefined) return undefined
    this.after = undefined
    this.index0++
    this.before = this.current
    this.current = value
    return value
  }

  override length(): number {
    if (this.count === undefined) {
      const iterator = this.iterator
      const rest = collect({ [Symbol.iterator]: () => iterator })
      this.iterator = rest.values()
      this.count = rest.length + this.index0 + 1 + (this.after === undefined ? 0 : 1)
    }
    return this.count
  }

  override attribute(name: string): Value | undefined {
    const { index0, depth0 } = this
    switch (name) {
      case 'index':
        return BigInt(index0 + 1)
      case 'index0':
        return BigInt(index0)
      case 'revindex':
        return BigInt(this.length() - index0)
      case 'revindex0':
        return BigInt(this.length() - index0 - 1)
      case 'length':
        return BigInt(this.length())
      case 'first':
        return index0 === 0
      case 'last':
        return this.peek() === undefined
      case 'depth':
        return BigInt(depth0 + 1)
      case 'depth0':
        return BigInt(depth0)
      case 'previtem':
        return index0 === 0 || this.before === undefined
          ? new Undefined({ hint: 'there is no previous item' })
          : this.before
      case 'nextitem':
        return this.peek() === undefined
          ? new Undefined({ hint: 'there is no next item' })
          : this.peek()
      case 'cycle':
        return new Builtin(name, (args) => this.cycle(args), this)
      case 'changed':
        return new Builtin(name, (args) => this.changed(args), this)
      default:
        return undefined
    }
  }

  override call(args: readonly Value[], keywords: Keywords): Value {
    if (args.length !== 1 || keywords.size > 0)
      fail('TypeError', 'LoopContext.__call__() takes exactly one iterable')
    if (!this.recurse)
      fail('TypeError', "The loop must have the 'recursive' marker to be called recursively.")
    return this.recurse(args[0], this.depth0 + 1)
  }

  override repr(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length()}>`
  }

  private peek(): Value | undefined {
    if (this.after === undefined) {
      const { done, value } = this.iterator.next()
      if (!done) this.after = value
    }
    return this.after
  }

  private cycle(args: readonly Value[]): Value {
    if (args.length === 0) fail('TypeError', 'no items for cycling given')
    return args[this.index0 % args.length]
  }

  private changed(args: readonly Value[]): boolean {
    const values = new Tuple(args)
    if (this.lastChanged && equals(this.lastChanged, values)) return false
    this.lastChanged = values
    return true
  }
}
