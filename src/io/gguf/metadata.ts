import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'
import type { GGUFScalar, GGUFValue } from './types.ts'

/** The metadata of a GGUF file. Accessors throw a HeedError if a value has another type. */
export class GGUFMetadata {
  /** All entries by key, such as `general.architecture`. */
  readonly entries: ReadonlyMap<string, GGUFValue>
  private readonly path: string

  constructor(entries: ReadonlyMap<string, GGUFValue>, path: string) {
    this.entries = entries
    this.path = path
  }

  /** Whether there is an entry with this key. */
  has(key: string): boolean {
    return this.entries.has(key)
  }

  /** Returns a number. @throws HeedError for another type, and for a missing key unless `absent` is given */
  number(key: string): number
  number(key: string, absent: number): number
  number(key: string, absent: undefined): number | undefined
  number(...[key, ...absent]: [string, (number | undefined)?]): number | undefined {
    return this.get(key, absent, 'a number', isNumber)
  }

  /** Returns a string. @throws HeedError for another type, and for a missing key unless `absent` is given */
  string(key: string): string
  string(key: string, absent: string): string
  string(key: string, absent: undefined): string | undefined
  string(...[key, ...absent]: [string, (string | undefined)?]): string | undefined {
    return this.get(key, absent, 'a string', isString)
  }

  /** Returns a boolean, or `absent` if the key is missing. @throws HeedError for another type */
  bool(key: string, absent: boolean): boolean {
    return this.get(key, [absent], 'true or false', isBoolean) ?? absent
  }

  /** Returns a list of strings; undefined if the key is missing. @throws HeedError for another type */
  strings(key: string): string[] | undefined {
    return this.get(key, [undefined], 'a list of strings', isStrings)
  }

  /** Returns a list of numbers; undefined if the key is missing. @throws HeedError for another type */
  numbers(key: string): number[] | undefined {
    return this.get(key, [undefined], 'a list of numbers', isNumbers)
  }

  private get<T>(
    key: string,
    absent: readonly (T | undefined)[],
    kind: string,
    fits: (value: unknown) => value is T,
  ): T | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined && absent.length > 0) return absent[0]
    if (entry !== undefined && fits(entry.value)) return entry.value
    const got = entry === undefined ? 'nothing' : brief(entry)
    throw new HeedError(
      'corrupt-file',
      `Metadata ${quote(key)} in ${this.path} must be ${kind}, got ${got}`,
      {
        key,
        value: entry?.value,
        expected: kind,
        remedy: 'Download the file again, or convert the model again.',
      },
    )
  }
}

/** Formats a value for display, shortened. */
export function showValue({ type, value }: GGUFValue): string {
  if (type !== 'array') return typeof value === 'string' ? quote(value) : String(value)
  const some = value.slice(0, 6).map((item) => (isNested(item) ? '[…]' : JSON.stringify(item)))
  return `[${value.length}: ${some.join(', ')}${value.length > 6 ? ', …' : ''}]`
}

const brief = (value: GGUFValue): string => {
  const text = showValue(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

const isNested = (item: GGUFScalar | GGUFValue): item is GGUFValue => typeof item === 'object'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isString = (value: unknown): value is string => typeof value === 'string'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(isNumber)
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(isString)
