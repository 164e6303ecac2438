import { characterCount, characterSlice, charactersOf } from './characters.ts'
import { equals } from './compare.ts'
import { Dict, DictView } from './dict.ts'
import { fail } from './failure.ts'
import { allocateList, allocateText, collect, spend, spendText } from './limits.ts'
import {
  isInteger,
  isText,
  Markup,
  rawText,
  TemplateObject,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { includesText } from './search.ts'
import { Undefined } from './undefined.ts'

/** `bool(value)`. */
export function truth(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'bigint') return value !== 0n
  if (typeof value === 'number') return value !== 0
  return value instanceof TemplateObject ? value.truth() : Boolean(value)
}

/** `len(value)`. */
export function lengthOf(value: Value): number {
  if (isText(value)) {
    const text = rawText(value)
    spendText(text.length)
    return characterCount(text)
  }
  if (Array.isArray(value)) return value.length
  if (value instanceof TemplateObject && value.length) return value.length()
  return fail('TypeError', `object of type '${typeName(value)}' has no len()`)
}

/** `iter(value)`. */
export function iterate(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value
  if (isText(value)) {
    const text = rawText(value)
    allocateList(text.length)
    return value instanceof Markup
      ? charactersOf(text).map((c) => new Markup(c))
      : charactersOf(text)
  }
  if (value instanceof TemplateObject) {
    const iterator = value.iterate?.()
    if (iterator) return { [Symbol.iterator]: () => iterator }
  }
  return fail('TypeError', `'${typeName(value)}' object is not iterable`)
}

export const isIterable = (value: Value): boolean =>
  isText(value) || Array.isArray(value) || (value instanceof TemplateObject && !!value.iterate)

/** `list(value)`. */
export function listOf(value: Value): Value[] {
  if (!Array.isArray(value)) return collect(iterate(value))
  allocateList(value.length)
  return [...value]
}

/** `item in container`. */
export function contains(container: Value, item: Value): boolean {
  if (isText(container)) {
    if (isText(item)) return includesText(rawText(container), rawText(item))
    fail('TypeError', `'in <string>' requires string as left operand, not ${typeName(item)}`)
  }
  if (container instanceof Dict) return container.has(item)
  if (container instanceof DictView && container.kind === 'keys') return container.dict.has(item)
  if (!isIterable(container))
    fail('TypeError', `argument of type '${typeName(container)}' is not iterable`)
  for (const each of iterate(container)) if (each === item || equals(each, item)) return true
  return false
}

export interface Slice {
  start: Value
  stop: Value
  step: Value
}

/** `value[start:stop:step]`. */
export function sliceOf(value: Value, slice: Slice): Value {
  if (value instanceof Undefined) value.raise()
  if (value instanceof Dict) fail('TypeError', "unhashable type: 'slice'")
  if (isText(value)) {
    const sliced = slicedText(rawText(value), slice)
    return value instanceof Markup ? new Markup(sliced) : sliced
  }
  if (Array.isArray(value)) return pick(value, slice)
  if (value instanceof Tuple) return new Tuple(pick(value.items, slice))
  if (value instanceof Range) return value.slice(sliceIndices(slice, value.length()))
  return fail('TypeError', `'${typeName(value)}' object is not subscriptable`)
}

function slicedText(text: string, slice: Slice): string {
  allocateText(text.length)
  const { start, step, count } = sliceIndices(slice, characterCount(text))
  if (step === 1) return characterSlice(text, start, start + count)
  allocateList(text.length)
  return pick(charactersOf(text), slice).join('')
}

function pick<T>(items: readonly T[], slice: Slice): T[] {
  const { start, step, count } = sliceIndices(slice, items.length)
  allocateList(count)
  return Array.from({ length: count }, (_, i) => items[start + i * step])
}

interface Indices {
  start: number
  step: number
  count: number
}

/** Positions of a slice, like Python's `slice.indices`. */
function sliceIndices({ start, stop, step }: Slice, length: number): Indices {
  const stride = step === null ? 1 : clamp(step)
  if (stride === 0) fail('ValueError', 'slice step cannot be zero')
  const [lowest, highest] = stride > 0 ? [0, length] : [-1, length - 1]
  const place = (bound: Value, missing: number): number => {
    if (bound === null) return missing
    const at = clamp(bound)
    return Math.min(Math.max(at < 0 ? at + length : at, lowest), highest)
  }
  const from = place(start, stride > 0 ? lowest : highest)
  const to = place(stop, stride > 0 ? highest : lowest)
  return { start: from, step: stride, count: Math.max(0, Math.ceil((to - from) / stride)) }
}

function clamp(bound: Value): number {
  if (bound instanceof Undefined || !isInteger(bound))
    return fail('TypeError', 'slice indices must be integers or None or have an __index__ method')
  return Math.min(Math.max(Number(bound), -(2 ** 40)), 2 ** 40)
}

/** The element of a sequence at an index. Negative indices count from the end. */
export function elementAt(items: readonly Value[], index: bigint | boolean): Value | undefined {
  const at = Number(index)
  return items[at < 0 ? items.length + at : at]
}

export const MAX_RANGE = 100_000

/** `range(start, stop, step)`. */
export class Range extends TemplateObject {
  readonly typeName = 'range'
  readonly start: bigint
  readonly stop: bigint
  readonly step: bigint

  constructor(start: bigint, stop: bigint, step: bigint) {
    super()
    if (step === 0n) fail('ValueError', 'range() arg 3 must not be zero')
    this.start = start
    this.stop = stop
    this.step = step
  }

  override length(): number {
    const { start, stop, step } = this
    const count = step > 0n ? (stop - start + step - 1n) / step : (start - stop - step - 1n) / -step
    return count < 0n ? 0 : Number(count)
  }

  override *iterate(): Generator<Value, undefined> {
    const count = this.length()
    for (let i = 0, value = this.start; i < count; i++, value += this.step) {
      spend(1)
      yield value
    }
  }

  override attribute(name: string): Value | undefined {
    return name === 'start' || name === 'stop' || name === 'step' ? this[name] : undefined
  }

  override item(key: Value): Value | undefined {
    if (!isInteger(key))
      fail('TypeError', `range indices must be integers or slices, not ${typeName(key)}`)
    const index = BigInt(key) < 0n ? BigInt(key) + BigInt(this.length()) : BigInt(key)
    return index >= 0n && index < this.length() ? this.start + index * this.step : undefined
  }

  slice({ start, step, count }: Indices): Range {
    const first = this.start + BigInt(start) * this.step
    const stride = this.step * BigInt(step)
    return new Range(first, first + BigInt(count) * stride, stride)
  }

  override equals(other: Value): boolean {
    return other instanceof Range && this.describe() === other.describe()
  }

  override hash(): string {
    return `\0r${this.describe()}`
  }

  override repr(): string {
    const { start, stop, step } = this
    return `range(${start}, ${stop}${step === 1n ? '' : `, ${step}`})`
  }

  private describe(): string {
    const count = this.length()
    return [count, ...(count > 0 ? [this.start] : []), ...(count > 1 ? [this.step] : [])].join()
  }
}
