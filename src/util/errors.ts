import './copies.ts'

/**
 * The kinds of mistake that Heed reports. Programs compare codes and `details`; the wording of a message may
 * improve at any time.
 */
export type ErrorCode =
  | 'invalid-option' // an argument, option or setting has a value that it cannot have
  | 'unknown-name' // no model type, task, head, device, key or flag has this name
  | 'already-exists' // a name is registered, or a file or folder is there, and may not be replaced
  | 'invalid-config' // config.json, or another settings file of a model, does not describe a model
  | 'invalid-data' // rows, texts or labels that a task cannot use
  | 'missing-file'
  | 'corrupt-file' // a file is damaged, truncated, or not of the format that it should be
  | 'file-system' // a file or folder cannot be read or written: permission, disk space, …
  | 'network'
  | 'unsupported' // valid elsewhere, but Heed, this model or this machine cannot do it
  | 'invalid-state' // a call at the wrong time: step() without gradients, a closed file, …
  | 'shape'
  | 'stale-tensor'
  | 'out-of-memory'
  | 'diverged' // the loss is no longer a finite number

/** What an error is about, for programs. */
export interface ErrorDetails {
  /** The option, config key or name that is wrong, as the library spells it: `minLr`, `num_hidden_layers`. */
  readonly key?: string
  /** What was given. */
  readonly value?: unknown
  /** What it must be: "a divisor of `dim` (128)". */
  readonly expected?: string
  /** Values that work, by key. */
  readonly try?: Readonly<Record<string, readonly (string | number | boolean)[]>>
}

export interface ErrorOptions extends ErrorDetails {
  /** What to do. By default made of `try`: "Try `heads` 1, 2, 4 or 8." */
  readonly remedy?: string
  readonly cause?: unknown
}

/**
 * A mistake that the user can correct. `message` states what must be and what was given, `remedy` what to do; an
 * uncaught error shows both. Options are written as the library spells them, in backticks: the command line turns
 * `minLr` into --min-lr, prints both lines without a stack trace and exits with code 2.
 */
export class HeedError extends Error {
  override readonly name: string = 'HeedError'
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly remedy: string | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    const { remedy = remedyOf(options), cause, ...details } = options
    // The stack, which Node prints for an uncaught error, starts with the text that is given here.
    super(remedy ? `${message}\n  ${remedy}` : message, cause === undefined ? undefined : { cause })
    Object.defineProperty(this, 'message', { value: message, writable: true, configurable: true })
    this.code = code
    // Node prints an uncaught error with all its fields: of a tensor, the whole graph.
    if (isInstance(details.value)) Object.defineProperty(details, 'value', { enumerable: false })
    this.details = details
    this.remedy = remedy
  }
}

/** Whether the value is an object of a class, such as a tensor or a module. */
function isInstance(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype !== null && prototype !== Object.prototype
}

/** A tensor was read after the state on which it depends had been overwritten. */
export class StaleTensorError extends HeedError {
  override readonly name = 'StaleTensorError'

  constructor(message: string, options?: ErrorOptions) {
    super('stale-tensor', message, options)
  }
}

/** Shapes or dtypes that do not fit an operation. */
export class ShapeError extends HeedError {
  override readonly name = 'ShapeError'

  constructor(message: string, options?: ErrorOptions) {
    super('shape', message, options)
  }
}

/** Memory that is not available. The message states how much was requested and the largest owners. */
export class OutOfMemoryError extends HeedError {
  override readonly name = 'OutOfMemoryError'

  constructor(message: string, options?: ErrorOptions) {
    super('out-of-memory', message, options)
  }
}

/**
 * The error for an option with a value that it cannot have: "`heads` must be a divisor of `dim` (128), got 3."
 * `key` and `expected` make the message, `owner` begins it; `try` or `remedy` says what to do.
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

/** A value in an error message, shortened: values as JSON, objects of a class as "a Tensor". */
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

/** Within lists and objects. */
function brief(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'function') return textOf(value)
  const kind = typeof value === 'object' && value !== null ? className(value) : undefined
  return kind ? withArticle(kind) : value
}

/** The class of an object; undefined for a plain object or an array. */
function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || Array.isArray(value)) return undefined
  const { name } = value.constructor ?? {}
  return typeof name === 'string' && name !== 'Object' ? name : undefined
}

const withArticle = (noun: string): string => `${/^[AEIOU]/i.test(noun) ? 'an' : 'a'} ${noun}`

/** "a, b or c". */
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
