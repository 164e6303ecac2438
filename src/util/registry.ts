import { HeedError, shown } from './errors.ts'
import { nearestFirst } from './nearest.ts'

/**
 * Values by name in registration order: built-in ones, then those of users. `kind` is the noun in messages, `key` the
 * option that takes such a name.
 */
export class Registry<T> {
  private readonly kind: string
  private readonly key: string
  private readonly entries = new Map<string, T>()

  constructor(kind: string, key = kind) {
    this.kind = kind
    this.key = key
  }

  /** @throws HeedError if the name is invalid (see `checkName`) or already registered */
  register(name: string, value: T): void {
    checkName(this.kind, name)
    const before = this.entries.get(name)
    if (before !== undefined)
      throw new HeedError(
        'already-exists',
        `The name of a ${this.kind} must be unique, got ${shown(name)} twice${bothNames(before, value)}`,
        { key: this.key, value: name, remedy: 'Register it only once, or with another name.' },
      )
    this.entries.set(name, value)
  }

  /** @throws HeedError with the most similar names if the name is not registered */
  get(name: string): T {
    const value = this.entries.get(name)
    if (value === undefined) throw unknownName(this.kind, name, this.names(), this.key)
    return value
  }

  has(name: string): boolean {
    return this.entries.has(name)
  }

  names(): string[] {
    return [...this.entries.keys()]
  }

  values(): T[] {
    return [...this.entries.values()]
  }
}

/**
 * Rejects names that could be a path or a prototype key.
 * @throws HeedError unless the name has 1 to 80 letters, digits, `-`, `_` or `.`, and begins with a letter or digit
 */
export function checkName(kind: string, name: string): void {
  const safe = typeof name === 'string' && PATTERN.test(name) && !name.includes('..')
  if (safe && name !== 'prototype' && !(name in Object.prototype)) return
  throw new HeedError(
    'invalid-option',
    `The name of a ${kind} must be ${RULE}, got ${shown(name)}`,
    {
      key: kind,
      value: name,
      expected: RULE,
      remedy: `Choose another name, for example my-${kind.replaceAll(' ', '-')}.`,
    },
  )
}

/** The error for an unknown name. The remedy begins with the most similar known name. */
export function unknownName(
  kind: string,
  name: string,
  known: readonly string[],
  key = kind,
): HeedError {
  const near = nearestFirst(String(name), known)
  return new HeedError('unknown-name', `The ${kind} must have a known name, got ${shown(name)}`, {
    key,
    value: name,
    try: { [key]: near.slice(0, 3) },
    remedy:
      near.length > 0
        ? `Did you mean ${near[0]}? Known: ${near.join(', ')}.`
        : `No ${kind} is registered.`,
  })
}

/** The names of both registered values, if they differ: " (GPT2 and MyGPT2)". */
function bothNames(before: unknown, value: unknown): string {
  const names = [before, value].map(nameOf)
  return names.every(Boolean) && names[0] !== names[1] ? ` (${names.join(' and ')})` : ''
}

function nameOf(value: unknown): string | undefined {
  const { name } = Object(value) as { name?: unknown }
  return typeof name === 'string' ? name : undefined
}

const PATTERN = /^[a-z\d][\w.-]{0,79}$/i
const RULE =
  '1 to 80 letters, digits, "-", "_" or ".", beginning with a letter or digit, without ".." or a key of Object.prototype'
