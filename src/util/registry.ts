import { HeedError, shown } from './errors.ts'
import { nearestFirst } from './nearest.ts'

/**
 * Values by name, in the order of their registration: the built-in ones, then those of users.
 * `kind` is the noun of the messages, `key` the option that takes such a name.
 */
export class Registry<T> {
  private readonly kind: string
  private readonly key: string
  private readonly entries = new Map<string, T>()

  constructor(kind: string, key = kind) {
    this.kind = kind
    this.key = key
  }

  /** @throws HeedError when the name is unsafe (see `checkName`) or taken. */
  register(name: string, value: T): void {
    checkName(this.kind, name)
    const before = this.entries.get(name)
    if (before !== undefined)
      throw new HeedError(
        'already-exists',
        `The name of a ${this.kind} must be free, got ${shown(name)} twice${bothNames(before, value)}`,
        { key: this.key, value: name, remedy: 'Register it once, or under another name.' },
      )
    this.entries.set(name, value)
  }

  /** @throws HeedError with the most similar names when there is none of this name. */
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
 * Refuses names that a path or a prototype key could abuse.
 * @throws HeedError unless it consists of 1 to 80 letters, digits and `-`, `_`, `.`, beginning with a letter or digit
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

/** The error for a name that does not exist; the remedy begins with the most similar one. */
export function unknownName(
  kind: string,
  name: string,
  known: readonly string[],
  key = kind,
): HeedError {
  const near = nearestFirst(String(name), known)
  return new HeedError('unknown-name', `The ${kind} must be a known one, got ${shown(name)}`, {
    key,
    value: name,
    try: { [key]: near.slice(0, 3) },
    remedy:
      near.length > 0
        ? `Did you mean ${near[0]}? Known: ${near.join(', ')}.`
        : `No ${kind} is registered.`,
  })
}

/** What was registered, where the two differ in name: " (GPT2 and MyGPT2)". */
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
