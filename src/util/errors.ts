import './copies.ts'
import type { ErrorCode } from './error-codes.ts'

/** Machine-readable details of an error. */
export interface ErrorDetails {
  /** The invalid option, config key or name in the spelling of the library: `minLr`, `num_hidden_layers`. */
  readonly key?: string
  /** The given value. */
  readonly value?: unknown
  /** Description of valid values: "a divisor of `dim` (128)". */
  readonly expected?: string
  /** Valid values by key. */
  readonly try?: Readonly<Record<string, readonly (string | number | boolean)[]>>
}

/** Details of a `HeedError`, what to do, and the error that caused it. */
export interface ErrorOptions extends ErrorDetails {
  /** What to do. Default: a sentence made from `try`, such as "Try `heads` 1, 2, 4 or 8." */
  readonly remedy?: string
  /** The error that led to this one, such as one of the file system. */
  readonly cause?: unknown
}

/**
 * An error that the user can correct. `message` states what must be and what was given; `remedy` states what to do. An
 * uncaught error shows both. Messages write options in the spelling of the library, in backticks. The command line
 * converts `minLr` to --min-lr, prints both lines without a stack trace, and exits with code 2.
 */
export class HeedError extends Error {
  /** The name of the class, which Node prints before the message. */
  override readonly name: string = 'HeedError'
  /** What kind of error it is, for programs. */
  readonly code: ErrorCode
  /** The invalid key and value, and valid values. */
  readonly details: ErrorDetails
  /** What to do. */
  readonly remedy: string | undefined

  /** Creates an error of a kind. Without `remedy`, the valid values in `try` give the sentence. */
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    const { remedy = remedyOf(options), cause, ...details } = options
    // Node prints the stack of an uncaught error, which starts with this text.
    super(remedy ? `${message}\n  ${remedy}` : message, cause === undefined ? undefined : { cause })
    Object.defineProperty(this, 'message', { value: message, writable: true, configurable: true })
    this.code = code
    // Node prints an uncaught error with all its fields: of a tensor, the whole graph.
    if (hasInstance(details.value)) Object.defineProperty(details, 'value', { enumerable: false })
    this.details = details
    this.remedy = remedy
  }
}

/** Whether the value is an instance of a class, such as a tensor or a module, or contains one near its surface. */
function hasInstance(value: unknown, depth = 2): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  const prototype = Object.getPrototypeOf(value)
  const isPlain = prototype === null || prototype === Object.prototype || Array.isArray(value)
  if (!isPlain) return true
  return depth > 0 && Object.values(value).some((part) => hasInstance(part, depth - 1))
}

/** A tensor was read after the state that it depends on had been overwritten. */
export class StaleTensorError extends HeedError {
  /** The name of the class, which Node prints before the message. */
  override readonly name = 'StaleTensorError'

  /** Creates an error with the code `stale-tensor`. */
  constructor(message: string, options?: ErrorOptions) {
    super('stale-tensor', message, options)
  }
}

/** Shapes or dtypes are invalid for an operation. */
export class ShapeError extends HeedError {
  /** The name of the class, which Node prints before the message. */
  override readonly name = 'ShapeError'

  /** Creates an error with the code `shape`. */
  constructor(message: string, options?: ErrorOptions) {
    super('shape', message, options)
  }
}

/** Not enough memory. The message states the requested size and the largest owners of memory. */
export class OutOfMemoryError extends HeedError {
  /** The name of the class, which Node prints before the message. */
  override readonly name = 'OutOfMemoryError'

  /** Creates an error with the code `out-of-memory`. */
  constructor(message: string, options?: ErrorOptions) {
    super('out-of-memory', message, options)
  }
}

/**
 * The error for an option with an invalid value: "`heads` must be a divisor of `dim` (128), got 3."
 * The message is made from `owner`, `key` and `expected`; `try` or `remedy` states what to do.
 */
export function invalidOption({
  owner,
  ...options
}: ErrorOptions & { key: string; value: unknown; expected: string; owner?: string }): HeedError {
  const { key, value, expected } = options
  const start = owner === undefined ? '' : `${owner}: `
  return new HeedError(
    'invalid-option',
    `${start}\`${key}\` must be ${expected}, got ${shown(value)}`,
    options,
  )
}

/** Formats a value for error messages, shortened: values as JSON, instances of a class as "a Tensor". */
export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function'
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? JSON.stringify(value) : String(value)
  const kind = className(value)
  if (kind) return withArticle(kind)
  try {
    return JSON.stringify(value, (_, part: unknown) => brief(part))
  } catch {
    return Array.isArray(value) ? 'an array' : 'an object'
  }
}

/** Formats values within arrays and objects. */
function brief(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'function') return textOf(value)
  const kind = typeof value === 'object' && value !== null ? className(value) : undefined
  return kind ? withArticle(kind) : value
}

/** The class name of an object; undefined for plain objects and arrays. */
function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || Array.isArray(value)) return undefined
  const { name } = value.constructor ?? {}
  return typeof name === 'string' && name !== 'Object' ? name : undefined
}

const withArticle = (noun: string): string => `${/^[AEIOU]/i.test(noun) ? 'an' : 'a'} ${noun}`

/** Formats a list of alternatives: "a, b or c". */
export function alternatives(values: readonly unknown[]): string {
  const texts = values.map(String)
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`
}

function remedyOf({ try: values = {} }: ErrorDetails): string | undefined {
  const tries = Object.entries(values)
    .filter(([, list]) => list.length > 0)
    .map(([key, list]) => `\`${key}\` ${alternatives(list)}`)
  return tries.length > 0 ? `Try ${tries.join(', or ')}.` : undefined
}
