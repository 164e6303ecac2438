import { fail } from './failure.ts'
import type { Call, Keywords, Value } from './objects.ts'
import { quoted } from './repr.ts'

/** A parameter of a function, with its default value if it has one. */
export type Parameter = string | readonly [name: string, byDefault: Value]

interface SignatureOptions {
  /** Number of parameters that Jinja adds before these, such as the environment. Error messages count them. */
  hidden?: number
  /** Whether arguments cannot be passed by name. */
  positionalOnly?: boolean
}

/** Makes a function that checks arguments with the errors of Python. `body` gets a value for each parameter. */
export function withSignature<Extra extends unknown[]>(
  name: string,
  parameters: readonly Parameter[],
  body: (values: Value[], ...extra: Extra) => Value,
  options: SignatureOptions = {},
): (args: readonly Value[], keywords: Keywords, ...extra: Extra) => Value {
  const names = parameters.map((parameter) =>
    typeof parameter === 'string' ? parameter : parameter[0],
  )
  const defaults = parameters.map((parameter) =>
    typeof parameter === 'string' ? undefined : parameter[1],
  )
  const required = defaults.filter((value) => value === undefined).length
  const { hidden = 0, positionalOnly = false } = options
  return (args, keywords, ...extra) => {
    if (positionalOnly) checkPositional(name, args.length, keywords, [required, names.length])
    if (args.length > names.length)
      tooMany(name, args.length + hidden, required + hidden, names.length + hidden)
    const values: (Value | undefined)[] = [...args]
    for (const [keyword, value] of keywords) {
      const at = names.indexOf(keyword)
      if (at < 0)
        fail('TypeError', `${name}() got an unexpected keyword argument ${quoted(keyword)}`)
      if (at < args.length)
        fail('TypeError', `${name}() got multiple values for argument ${quoted(keyword)}`)
      values[at] = value
    }
    const missing = names.filter((_, i) => values[i] === undefined && defaults[i] === undefined)
    if (missing.length > 0) tooFew(name, missing)
    const all = defaults.map(
      (byDefault, i) => values[i] ?? (i in values ? null : (byDefault ?? null)),
    )
    return body(all, ...extra)
  }
}

export const method = (
  name: string,
  parameters: readonly Parameter[],
  body: (values: Value[]) => Value,
  positionalOnly = true,
): Call => withSignature(name, parameters, body, { positionalOnly })

/** Checks arguments with the messages of functions written in C. */
function checkPositional(
  name: string,
  given: number,
  keywords: Keywords,
  [least, most]: readonly [number, number],
): void {
  if (keywords.size > 0) fail('TypeError', `${name}() takes no keyword arguments`)
  if (given >= least && given <= most) return
  if (most === 0) fail('TypeError', `${name}() takes no arguments (${given} given)`)
  if (least === 1 && most === 1)
    fail('TypeError', `${name}() takes exactly one argument (${given} given)`)
  const bound = given < least ? least : most
  const kind = least === most ? '' : given < least ? 'at least ' : 'at most '
  const expected = `${kind}${bound} argument${bound === 1 ? '' : 's'}`
  fail('TypeError', `${name.replace(/^.*\./, '')} expected ${expected}, got ${given}`)
}

function tooMany(name: string, given: number, least: number, most: number): never {
  const takes =
    least === most
      ? `takes ${most} positional argument${most === 1 ? '' : 's'}`
      : `takes from ${least} to ${most} positional arguments`
  return fail('TypeError', `${name}() ${takes} but ${given} ${given === 1 ? 'was' : 'were'} given`)
}

function tooFew(name: string, missing: readonly string[]): never {
  const shown = missing.map(quoted)
  const list =
    shown.length < 3
      ? shown.join(' and ')
      : `${shown.slice(0, -1).join(', ')}, and ${shown[shown.length - 1]}`
  const s = shown.length === 1 ? '' : 's'
  return fail(
    'TypeError',
    `${name}() missing ${shown.length} required positional argument${s}: ${list}`,
  )
}
