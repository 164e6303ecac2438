import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'
import type { GGUFScalar, GGUFValue } from './types.ts'

/** The metadata of a GGUF file. What is asked for and is of another kind is an error with its key. */
export class GGUFMetadata {
  readonly entries: ReadonlyMap<string, GGUFValue>
  private readonly path: string

  constructor(entries: ReadonlyMap<string, GGUFValue>, path: string) {
    this.entries = entries
    this.path = path
  }

  has(key: string): boolean {
    return this.entries.has(key)
  }

  number(key: string): number
  number(key: string, absent: number): number
  number(key: string, absent: undefined): number | undefined
  number(...[key, ...absent]: [string, (number | undefined)?]): number | undefined {
    return this.get(key, absent, 'a number', isNumber)
  }

  string(key: string): string
  string(key: string, absent: string): string
  string(key: string, absent: undefined): string | undefined
  string(...[key, ...absent]: [string, (string | undefined)?]): string | undefined {
    return this.get(key, absent, 'a string', isString)
  }

  bool(key: string, absent: boolean): boolean {
    return this.get(key, [absent], 'true or false', (v) => typeof v === 'boolean') as boolean
  }

  strings(key: string): string[] | undefined {
    return this.get(key, [undefined], 'a list of strings', (v) => isListOf(v, isString))
  }

  numbers(key: string): number[] | undefined {
    return this.get(key, [undefined], 'a list of numbers', (v) => isListOf(v, isNumber))
  }

  private get<T>(
    key: string,
    absent: readonly (T | undefined)[],
    kind: string,
    fits: (value: unknown) => boolean,
  ): T | undefined {
    const found = this.entries.get(key)
    if (found === undefined && absent.length > 0) return absent[0]
    if (found !== undefined && fits(found.value)) return found.value as T
    const problem = found === undefined ? 'is missing' : `is ${brief(found)}, not ${kind}`
    throw new HeedError('corrupt-file', `${this.path}: its metadata ${quote(key)} ${problem}`)
  }
}

/** A value as a person reads it, cut when long. */
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
const isNumber = (value: unknown): boolean => typeof value === 'number'
const isString = (value: unknown): boolean => typeof value === 'string'
const isListOf = (value: unknown, fits: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(fits)
