import { attributeGetter } from './attribute-path.ts'
import { attributeOf } from './attributes.ts'
import type { Environment } from './evaluator.ts'
import { fail } from './failure.ts'
import type { Filter } from './filters.ts'
import { isText, type Keywords, rawText, Stream, type Value } from './objects.ts'
import { quoted } from './repr.ts'
import { iterate, truth } from './sequences.ts'
import { withSignature } from './signature.ts'
import { Undefined } from './undefined.ts'

/** Filters that lazily apply other filters, tests or attributes to the items of a sequence. */
export const selectFilters: Record<string, Filter> = {
  map: ([value, ...args], keywords, environment) =>
    new Stream(mapped(value, args, keywords, environment), [value, ...args]),
  select: selecting(false, true),
  reject: selecting(false, false),
  selectattr: selecting(true, true),
  rejectattr: selecting(true, false),
  attr: withSignature('do_attr', ['obj', 'name'], ([value, name]) => attribute(value, name), {
    hidden: 1,
  }),
}

/** `value.name` without a fallback to items. */
function attribute(value: Value, name: Value): Value {
  if (!isText(name)) return fail('TypeError', 'attribute name must be string')
  if (value instanceof Undefined) value.raise()
  const result = attributeOf(value, rawText(name))
  return result === undefined ? new Undefined({ owner: value, name }) : result
}

function* mapped(
  value: Value,
  args: readonly Value[],
  keywords: Keywords,
  environment: Environment,
): Generator<Value, undefined> {
  if (!truth(value)) return
  const change = mapper(args, keywords, environment)
  for (const item of iterate(value)) yield change(item)
}

function mapper(
  args: readonly Value[],
  keywords: Keywords,
  environment: Environment,
): (item: Value) => Value {
  const path = keywords.get('attribute')
  if (args.length === 0 && path !== undefined) {
    const [unexpected] = [...keywords.keys()].filter(
      (name) => name !== 'attribute' && name !== 'default',
    )
    if (unexpected !== undefined)
      fail('FilterArgumentError', `Unexpected keyword argument ${quoted(unexpected)}`)
    return attributeGetter(path, { byDefault: keywords.get('default') ?? null })
  }
  if (args.length === 0) fail('FilterArgumentError', 'map requires a filter argument')
  const [name, ...rest] = args
  return (item) => environment.filter(name, [item, ...rest], keywords)
}

/** Keeps the items for which a test, or their truth value, is `expected`. */
function selecting(byAttribute: boolean, expected: boolean): Filter {
  return ([value, ...args], keywords, environment) =>
    new Stream(selected(value, args, keywords, environment), [value, ...args])

  function* selected(
    value: Value,
    args: readonly Value[],
    keywords: Keywords,
    environment: Environment,
  ): Generator<Value, undefined> {
    if (!truth(value)) return
    if (byAttribute && args.length === 0)
      fail('FilterArgumentError', 'Missing parameter for attribute name')
    const getter = attributeGetter(byAttribute ? args[0] : null)
    const [name, ...rest] = byAttribute ? args.slice(1) : args
    for (const item of iterate(value)) {
      const tested = getter(item)
      const result =
        name === undefined ? tested : environment.test(name, [tested, ...rest], keywords)
      if (truth(result) === expected) yield item
    }
  }
}
