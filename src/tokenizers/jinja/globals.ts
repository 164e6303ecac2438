import { textOf } from './arguments.ts'
import { fromKeys, makeDict } from './container-methods.ts'
import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { Namespace } from './namespace.ts'
import {
  Builtin,
  isInteger,
  type Keywords,
  TemplateObject,
  typeName,
  type Value,
} from './objects.ts'
import { toText } from './repr.ts'
import { MAX_RANGE, Range } from './sequences.ts'
import { method } from './signature.ts'
import { formatDate } from './strftime.ts'

/** An error raised by the template itself with `raise_exception`. */
export class RaisedByTemplate extends Error {}

/** Functions that templates can call. */
export function globals(): [name: string, value: Value][] {
  return [
    ['range', new Builtin('range', makeRange)],
    ['dict', new DictType()],
    ['namespace', new Builtin('namespace', makeNamespace)],
    ['cycler', new Builtin('cycler', makeCycler)],
    [
      'joiner',
      new Builtin('joiner', method('Joiner.__init__', [['sep', ', ']], makeJoiner, false)),
    ],
    [
      'lipsum',
      new Builtin('lipsum', () =>
        fail('Refused', 'lipsum() is not supported, because its text is random'),
      ),
    ],
    ['raise_exception', new Builtin('raise_exception', raiseException)],
    ['strftime_now', new Builtin('strftime_now', method(STRFTIME, ['format'], now, false))],
  ]
}

const FUNCTIONS = '_cached_compile_jinja_template.<locals>.'
const STRFTIME = `${FUNCTIONS}strftime_now`

const now = ([format]: Value[]): Value =>
  formatDate(new Date(), textOf(format, 'strftime() argument 1 must be str'))

const raiseException = method(
  `${FUNCTIONS}raise_exception`,
  ['message'],
  ([message]) => {
    throw new RaisedByTemplate(toText(message))
  },
  false,
)

function makeRange(args: readonly Value[], keywords: Keywords): Value {
  if (keywords.size > 0) fail('TypeError', 'range() takes no keyword arguments')
  if (args.length === 0) fail('TypeError', 'range expected at least 1 argument, got 0')
  if (args.length > 3) fail('TypeError', `range expected at most 3 arguments, got ${args.length}`)
  const numbers = args.map((value) =>
    isInteger(value)
      ? BigInt(value)
      : fail('TypeError', `'${typeName(value)}' object cannot be interpreted as an integer`),
  )
  const [start, stop, step = 1n] = numbers.length === 1 ? [0n, ...numbers] : numbers
  const range = new Range(start, stop, step)
  if (range.length() > MAX_RANGE)
    fail(
      'OverflowError',
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`,
    )
  return range
}

function makeNamespace(args: readonly Value[], keywords: Keywords): Value {
  const namespace = new Namespace()
  const attributes = makeDict(args, keywords)
  if (attributes instanceof Dict)
    for (const [name, value] of attributes.entries()) namespace.set(toText(name), value)
  return namespace
}

/** `dict(…)` and `dict.fromkeys(…)`. */
class DictType extends TemplateObject {
  readonly typeName = 'TemplateDict'
  override readonly module = 'transformers.utils.chat_template_utils'

  override call(args: readonly Value[], keywords: Keywords): Value {
    return makeDict(args, keywords)
  }

  override attribute(name: string): Value | undefined {
    return name === 'fromkeys' ? new Builtin(name, fromKeys) : undefined
  }
}

function makeCycler(items: readonly Value[], keywords: Keywords): Value {
  if (keywords.size > 0) fail('TypeError', 'Cycler.__init__() got an unexpected keyword argument')
  if (items.length === 0) fail('RuntimeError', 'at least one item has to be provided')
  return new Cycler(items)
}

/** Returns its items in turn, repeatedly. */
class Cycler extends TemplateObject {
  readonly typeName = 'Cycler'
  override readonly module = 'jinja2.utils'
  private readonly items: readonly Value[]
  private position = 0

  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }

  override contents(): Iterable<Value> {
    return this.items
  }

  override attribute(name: string): Value | undefined {
    if (name === 'current') return this.items[this.position]
    if (name === 'pos') return BigInt(this.position)
    if (name === 'next')
      return new Builtin(
        name,
        method('Cycler.next', [], () => this.next()),
        this,
      )
    if (name === 'reset')
      return new Builtin(
        name,
        method('Cycler.reset', [], () => this.reset()),
        this,
      )
    return undefined
  }

  private next(): Value {
    const value = this.items[this.position]
    this.position = (this.position + 1) % this.items.length
    return value
  }

  private reset(): Value {
    this.position = 0
    return null
  }
}

function makeJoiner([separator]: Value[]): Value {
  let used = false
  return new Builtin('joiner', () => {
    const text = used ? separator : ''
    used = true
    return text
  })
}
