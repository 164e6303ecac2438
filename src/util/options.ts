import { type ArgumentKind, hasMethod, kinds } from './check-argument.ts'
import { isPlain, notOptions, unknownKey } from './check-keys.ts'
import { alternatives, type HeedError, invalidOption, shown } from './errors.ts'

/** Checks for all options of a type. The table is total, so that a new option without an entry does not compile. */
export type OptionKinds<Options> = { readonly [K in keyof Options]-?: KindOf<Options[K]> | Rule }

/** `count` for required options, `count?` for optional ones, `count|null` if null is allowed. */
type KindOf<T> = `${ArgumentKind}${null extends T ? '|null' : ''}${undefined extends T ? '?' : ''}`

export interface Rule {
  expected: string
  fits: (value: unknown) => boolean
  /** Values that are always valid, which errors suggest: `samples: { ...ruleOf('size?'), try: [1000] }`. */
  try?: readonly (string | number | boolean)[]
}

/** Compiled checks for options: `const POOL = optionKinds<PoolOptions>({ stride: 'any?' })`. */
export class OptionRules {
  private readonly rules = new Map<string, Rule>()
  private readonly required: readonly string[]

  constructor(table: Readonly<Record<string, string | Rule>>) {
    for (const [name, kind] of Object.entries(table)) this.rules.set(name, ruleOf(kind))
    this.required = Object.entries(table).flatMap(([name, kind]) =>
      (typeof kind === 'string' ? kind.endsWith('?') : kind.fits(undefined)) ? [] : [name],
    )
  }

  /**
   * Checks an options object.
   * @throws HeedError if it is not an object, and for unknown keys, invalid values and missing options
   */
  check(owner: string, options: unknown): void {
    if (isPlain(options))
      for (const name in options)
        if (!this.rules.has(name)) throw unknownKey(owner, name, this.names)
    this.checkValues(owner, options)
  }

  /** Like `check`, for a part of larger options: other keys are ignored. */
  checkValues(owner: string, options: unknown): void {
    if (options !== undefined && !isPlain(options)) throw notOptions(owner, options, this.names)
    for (const name in options) {
      const rule = this.rules.get(name)
      if (!rule) continue
      if (!rule.fits(options[name])) throw this.wrong(owner, name, options[name])
    }
    for (const name of this.required)
      if (options?.[name] === undefined) throw this.wrong(owner, name, undefined)
  }

  private wrong(owner: string, key: string, value: unknown): HeedError {
    const { expected = 'given', try: values } = this.rules.get(key) ?? {}
    return invalidOption({ owner, key, value, expected, ...(values && { try: { [key]: values } }) })
  }

  private get names(): string[] {
    return [...this.rules.keys()]
  }
}

/** Compiles a table of checks. */
export const optionKinds = <Options>(table: OptionKinds<Options>): OptionRules =>
  new OptionRules(table)

const isKind = (name: string): name is ArgumentKind => Object.hasOwn(kinds, name)

/** Makes a rule optional. */
export const optional = (rule: Rule): Rule => ({
  ...rule,
  fits: (value) => value === undefined || rule.fits(value),
})

/** One of the given values; optional. */
export const oneOf = (values: readonly unknown[]): Rule =>
  optional({
    expected: alternatives(values.map(shown)),
    fits: (value) => values.includes(value),
  })

/** An instance of a class. */
export const instanceOf = (expected: string, Class: new (...args: never[]) => unknown): Rule => ({
  expected,
  fits: (value) => value instanceof Class,
})

/** An object with these methods, of any class. */
export const having = (expected: string, ...methods: readonly string[]): Rule => ({
  expected,
  fits: (value) => methods.every((name) => hasMethod(value, name)),
})

/** A number between two limits, inclusive. */
export const numberFrom = (least: number, most: number): Rule => ({
  expected: `a number from ${least} to ${most}`,
  fits: (value) => typeof value === 'number' && value >= least && value <= most,
})

export function ruleOf(kind: string | Rule): Rule {
  if (typeof kind !== 'string') return kind
  const base = kind.replace(/(\|null)?\??$/, '')
  const [expected, fits] = isKind(base) ? kinds[base] : kinds.any
  const optional = kind.endsWith('?')
  const nullable = kind.includes('|null')
  return {
    expected: nullable ? `${expected} or null` : expected,
    fits: (value) =>
      (value === undefined && optional) || (value === null && nullable) || fits(value),
  }
}
