import { integerOf, textOf } from './arguments.ts'
import { capitalize, lower, upper } from './case.ts'
import { characterCount, characterSlice, SPACE, splitLines } from './characters.ts'
import { Dict } from './dict.ts'
import type { Environment } from './evaluator.ts'
import { fail } from './failure.ts'
import type { Filter } from './filters.ts'
import { escaped } from './html.ts'
import { toJson } from './json.ts'
import { allocateText } from './limits.ts'
import { methodOf } from './methods.ts'
import {
  isInteger,
  isText,
  type Keywords,
  Markup,
  rawText,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { formatted } from './operators.ts'
import { toText } from './repr.ts'
import { replaced } from './search-methods.ts'
import { lengthOf, truth } from './sequences.ts'
import { type Parameter, withSignature } from './signature.ts'
import { lacksAttribute, Undefined } from './undefined.ts'
import { urlencode } from './urlencode.ts'
import { wordWrap } from './word-wrap.ts'

/** Converts any value to text. Safe HTML remains safe. */
const softText = (value: Value): string | Markup => (isText(value) ? value : toText(value))

const NO_KEYWORDS: Keywords = new Map()

/** Applies a method of str to a value of any type. */
function viaMethod(value: Value, name: string, args: readonly Value[] = []): Value {
  const method = methodOf(softText(value), name)
  return typeof method === 'function' ? method(args, NO_KEYWORDS) : fail('Refused', `str.${name}`)
}

const onText = (
  name: string,
  parameters: readonly Parameter[],
  body: (values: Value[]) => Value,
): Filter => withSignature(name, parameters, body)

const simple = (name: string, change: (text: string) => string): Filter =>
  onText(name, ['s'], ([value]) => {
    const text = softText(value)
    allocateText(rawText(text).length)
    const result = change(rawText(text))
    return typeof text === 'string' ? result : new Markup(result)
  })

const plain = (name: string, change: (text: string) => string): Filter =>
  onText(name, ['s'], ([value]) => {
    const text = rawText(softText(value))
    allocateText(text.length)
    return change(text)
  })

const refused =
  (name: string, reason: string): Filter =>
  () =>
    fail('Refused', `The filter ${name} is not supported: ${reason}`)

const escapeFilter = onText('escape', ['s'], ([value]) => escaped(value))

export const textFilters: Record<string, Filter> = {
  capitalize: simple('do_capitalize', capitalize),
  lower: simple('do_lower', lower),
  upper: simple('do_upper', upper),
  title: plain('do_title', titled),
  trim: onText('do_trim', ['value', ['chars', null]], ([value, chars]) =>
    viaMethod(value, 'strip', [chars]),
  ),
  center: onText('do_center', ['value', ['width', 80n]], ([value, width]) =>
    viaMethod(value, 'center', [width]),
  ),
  replace: withSignature(
    'do_replace',
    ['s', 'old', 'new', ['count', null]],
    ([value, old, replacement, count], { autoescape }: Environment) => {
      const limit = count === null ? -1 : integerOf(count)
      if (!autoescape) return replaced(toText(value), toText(old), toText(replacement), limit)
      const text =
        old instanceof Markup || (replacement instanceof Markup && !(value instanceof Markup))
          ? escaped(value)
          : value
      return viaMethod(text, 'replace', [softText(old), softText(replacement), BigInt(limit)])
    },
    { hidden: 1 },
  ),
  format: (args, keywords) => {
    const [value, ...values] = args
    if (values.length > 0 && keywords.size > 0)
      fail('FilterArgumentError', "can't handle positional and keyword arguments at the same time")
    return formatted(softText(value), keywords.size > 0 ? Dict.from(keywords) : new Tuple(values))
  },
  indent: onText('do_indent', ['s', ['width', 4n], ['first', false], ['blank', false]], indent),
  truncate: withSignature(
    'do_truncate',
    ['s', ['length', 255n], ['killwords', false], ['end', '...'], ['leeway', null]],
    (values) => truncate(values),
    { hidden: 1 },
  ),
  wordwrap: withSignature(
    'do_wordwrap',
    [
      's',
      ['width', 79n],
      ['break_long_words', true],
      ['wrapstring', null],
      ['break_on_hyphens', true],
    ],
    ([value, width, breaks, wrapString, hyphens]) =>
      wordWrap(isText(value) ? rawText(value) : lacksAttribute(value, 'splitlines'), {
        width: integerOf(width),
        breakLongWords: truth(breaks),
        breakOnHyphens: truth(hyphens),
        join: wrapString === null ? '\n' : textOf(wrapString),
      }),
    { hidden: 1 },
  ),
  wordcount: onText('do_wordcount', ['s'], ([value]) =>
    BigInt(rawText(softText(value)).match(WORDS)?.length ?? 0),
  ),
  string: onText('soft_str', ['s'], ([value]) => softText(value)),
  urlencode: onText('do_urlencode', ['value'], ([value]) => urlencode(value)),
  tojson: toJson,
  escape: escapeFilter,
  e: escapeFilter,
  forceescape: onText('do_forceescape', ['value'], ([value]) => escaped(toText(value))),
  safe: onText('do_mark_safe', ['value'], ([value]) => new Markup(toText(value))),
  xmlattr: withSignature('do_xmlattr', ['d', ['autospace', true]], attributesOf, { hidden: 1 }),
  urlize: refused('urlize', 'chats have no links in HTML'),
  striptags: refused('striptags', 'chats have no HTML'),
  pprint: refused('pprint', 'use tojson(indent=2)'),
}

const WORD_START = new RegExp(`([-${SPACE}({\\[<]+)`)
const WORDS = /[\p{L}\p{N}_]+/gu

function titled(text: string): string {
  const pieces = text.split(WORD_START).filter(Boolean)
  return pieces
    .map((piece) => {
      const [first] = piece
      return upper(first) + lower(piece.slice(first.length))
    })
    .join('')
}

function indent([value, width, first, blank]: Value[]): Value {
  if (value instanceof Undefined) value.raise()
  if (Array.isArray(value)) return lacksAttribute(value, 'splitlines')
  if (!isText(value)) return fail('TypeError', notConcatenated(value))
  if (!isText(width) && !isInteger(width))
    fail('TypeError', `can't multiply sequence by non-int of type '${typeName(width)}'`)
  const count = isInteger(width) ? Math.max(0, integerOf(width)) : 0
  allocateText(count)
  const indention = isText(width) ? rawText(width) : ' '.repeat(count)
  const lines = splitLines(`${rawText(value)}\n`)
  allocateText(rawText(value).length + lines.length * (indention.length + 1))
  const indented = lines.map((line, i) => {
    const skips = i === 0 ? !truth(first) : line === '' && !truth(blank)
    return skips ? line : indention + line
  })
  const text = indented.join('\n')
  return typeof value === 'string' ? text : new Markup(text)
}

const notConcatenated = (value: Value): string => {
  const type = typeName(value)
  return type === 'tuple'
    ? `can only concatenate ${type} (not "str") to ${type}`
    : `unsupported operand type(s) for +=: '${type}' and 'str'`
}

function truncate([value, length, killWords, ending, leeway]: Value[]): Value {
  const end = textOf(ending)
  const [most, endLength] = [integerOf(length), characterCount(end)]
  const tolerance = leeway === null ? 5 : integerOf(leeway)
  if (most < endLength) fail('AssertionError', `expected length >= ${endLength}, got ${most}`)
  if (tolerance < 0) fail('AssertionError', `expected leeway >= 0, got ${tolerance}`)
  if (lengthOf(value) <= most + tolerance) return value
  const kept = characterSlice(textOf(value), 0, most - endLength)
  const space = kept.lastIndexOf(' ')
  return (truth(killWords) || space < 0 ? kept : kept.slice(0, space)) + end
}

function attributesOf([value, autospace]: Value[], { autoescape }: Environment): Value {
  if (!(value instanceof Dict)) return lacksAttribute(value, 'items')
  const items: string[] = []
  for (const [key, item] of value.entries()) {
    if (item === null || item instanceof Undefined) continue
    if (/[ \t\n\r\f\v/>=]/.test(textOf(key)))
      fail('ValueError', `Invalid character in attribute name: '${toText(key)}'`)
    items.push(`${escaped(key).text}="${escaped(item).text}"`)
  }
  const text = (truth(autospace) && items.length > 0 ? ' ' : '') + items.join(' ')
  return autoescape ? new Markup(text) : text
}
