import { hashKey } from './hash.ts'
import { allocateList } from './limits.ts'
import { type HashKey, TemplateObject, Tuple, type Value } from './objects.ts'

/** A dictionary in insertion order. 1, 1.0 and True are the same key. */
export class Dict extends TemplateObject {
  readonly typeName = 'dict'
  private readonly map = new Map<HashKey, Value>()
  /** Keys that differ from their hash keys. */
  private readonly originals = new Map<HashKey, Value>()

  static from(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict()
    for (const [key, value] of entries) dict.set(key, value)
    return dict
  }

  set(key: Value, value: Value): void {
    const hash = hashKey(key)
    if (hash !== key && !this.map.has(hash)) this.originals.set(hash, key)
    this.map.set(hash, value)
    allocateList(2)
  }

  get(key: Value): Value | undefined {
    return this.map.get(hashKey(key))
  }

  has(key: Value): boolean {
    return this.map.has(hashKey(key))
  }

  *keys(): Generator<Value, undefined> {
    for (const hash of this.map.keys()) yield this.originals.get(hash) ?? hash
  }

  values(): Iterable<Value> {
    return this.map.values()
  }

  *entries(): Generator<[Value, Value], undefined> {
    for (const [hash, value] of this.map) yield [this.originals.get(hash) ?? hash, value]
  }

  override *contents(): Generator<Value> {
    for (const [hash, value] of this.map) {
      if (typeof hash === 'string') yield hash
      yield value
    }
  }

  override length(): number {
    return this.map.size
  }

  override iterate(): Iterator<Value> {
    return this.keys()
  }

  override item(key: Value): Value | undefined {
    return this.get(key)
  }

  override equals(other: Value, equal: (a: Value, b: Value) => boolean): boolean {
    if (!(other instanceof Dict) || other.map.size !== this.map.size) return false
    for (const [hash, value] of this.map) {
      const counterpart = other.map.get(hash)
      if (counterpart === undefined || !equal(value, counterpart)) return false
    }
    return true
  }

  override hash(): undefined {
    return undefined
  }

  override repr(nested: (value: Value) => string): string {
    const items = Array.from(this.entries(), ([key, value]) => `${nested(key)}: ${nested(value)}`)
    return `{${items.join(', ')}}`
  }
}

export type ViewKind = 'keys' | 'values' | 'items'

/** `dict.keys()`, `dict.values()` or `dict.items()`. */
export class DictView extends TemplateObject {
  readonly typeName: string
  readonly dict: Dict
  readonly kind: ViewKind

  constructor(dict: Dict, kind: ViewKind) {
    super()
    this.typeName = `dict_${kind}`
    this.dict = dict
    this.kind = kind
  }

  override contents(): Iterable<Value> {
    return [this.dict]
  }

  override length(): number {
    return this.dict.length()
  }

  override iterate(): Iterator<Value> {
    if (this.kind === 'keys') return this.dict.keys()
    if (this.kind === 'values') return this.dict.values()[Symbol.iterator]()
    return pairs(this.dict)
  }

  /** Keys and items are compared as sets. */
  override equals(other: Value, equal: (a: Value, b: Value) => boolean): boolean {
    if (this.kind === 'values' || !(other instanceof DictView) || other.kind === 'values')
      return this === other
    const others = Array.from(other)
    return (
      this.length() === others.length &&
      Array.from(this).every((item) => others.some((candidate) => equal(item, candidate)))
    )
  }

  override hash(): HashKey | undefined {
    return this.kind === 'values' ? this : undefined
  }

  override repr(nested: (value: Value) => string): string {
    return `${this.typeName}(${nested(Array.from(this))})`
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.iterate()
  }
}

function* pairs(dict: Dict): Generator<Value, undefined> {
  for (const [key, value] of dict.entries()) yield new Tuple([key, value])
}
