import { integerOf, textOf } from './arguments.ts'
import { capitalize, caseFold, lower, swapCase, title, upper } from './case.ts'
import { characterTests } from './character-tests.ts'
import { characterCount, characterWith, splitLines, stripLeft, stripRight } from './characters.ts'
import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { allocateText } from './limits.ts'
import type { Members } from './methods.ts'
import { isInteger, isText, rawText, typeName, type Value } from './objects.ts'
import { toText } from './repr.ts'
import { searchMethods } from './search-methods.ts'
import { iterate, truth } from './sequences.ts'
import { method } from './signature.ts'
import { splitMethods } from './split-methods.ts'

const changed = (name: string, change: (text: string) => string) => (text: string) =>
  method(`str.${name}`, [], () => {
    allocateText(text.length)
    return change(text)
  })

/** Methods of str. */
export const textMethods: Members<string> = {
  ...searchMethods,
  ...splitMethods,
  ...characterTests,
  capitalize: changed('capitalize', capitalize),
  casefold: changed('casefold', caseFold),
  lower: changed('lower', lower),
  upper: changed('upper', upper),
  title: changed('title', title),
  swapcase: changed('swapcase', swapCase),
  strip: (text) => stripping('strip', (chars) => stripRight(stripLeft(text, chars), chars)),
  lstrip: (text) => stripping('lstrip', (chars) => stripLeft(text, chars)),
  rstrip: (text) => stripping('rstrip', (chars) => stripRight(text, chars)),
  center: (text) =>
    padding('center', text, (count, fill, width) => {
      const left = Math.floor(count / 2) + (count % 2 === 1 && width % 2 === 1 ? 1 : 0)
      return fill.repeat(left) + text + fill.repeat(count - left)
    }),
  ljust: (text) => padding('ljust', text, (count, fill) => text + fill.repeat(count)),
  rjust: (text) => padding('rjust', text, (count, fill) => fill.repeat(count) + text),
  zfill: (text) => method('str.zfill', ['width'], ([width]) => zeroFilled(text, width)),
  expandtabs: (text) =>
    method(
      'str.expandtabs',
      [['tabsize', 8n]],
      ([size]) => expandTabs(text, integerOf(size)),
      false,
    ),
  join: (text) => method('str.join', ['iterable'], ([items]) => joined(text, items)),
  splitlines: (text) =>
    method(
      'str.splitlines',
      [['keepends', false]],
      ([keep]) => splitLines(text, truth(keep)),
      false,
    ),
  removeprefix: (text) =>
    method('str.removeprefix', ['prefix'], ([prefix]) => {
      const start = textOf(prefix, 'removeprefix() argument must be str')
      return text.startsWith(start) ? text.slice(start.length) : text
    }),
  removesuffix: (text) =>
    method('str.removesuffix', ['suffix'], ([suffix]) => {
      const end = textOf(suffix, 'removesuffix() argument must be str')
      return end && text.endsWith(end) ? text.slice(0, -end.length) : text
    }),
  translate: (text) => method('str.translate', ['table'], ([table]) => translated(text, table)),
  maketrans: () => method('str.maketrans', ['x', ['y', null], ['z', null]], makeTranslation),
  encode: () =>
    method(
      'str.encode',
      [
        ['encoding', 'utf-8'],
        ['errors', 'strict'],
      ],
      () => fail('Refused', 'str.encode() is not supported, because templates have no bytes'),
      false,
    ),
}

/** `separator.join(items)`. */
function joined(separator: string, items: Value): string {
  const texts: string[] = []
  let length = 0
  for (const item of iterate(items)) {
    if (!isText(item))
      fail(
        'TypeError',
        `sequence item ${texts.length}: expected str instance, ${typeName(item)} found`,
      )
    const text = rawText(item)
    length += text.length + separator.length
    if (length > 1 << 16) allocateText(text.length + separator.length)
    texts.push(text)
  }
  return texts.join(separator)
}

function stripping(name: string, strip: (characters: string | undefined) => string) {
  return method(`str.${name}`, [['chars', null]], ([characters]) => {
    if (characters !== null && !isText(characters))
      fail('TypeError', `${name} arg must be None or str`)
    const text = strip(characters === null ? undefined : toText(characters))
    allocateText(text.length)
    return text
  })
}

function padding(
  name: string,
  text: string,
  pad: (count: number, fill: string, width: number) => string,
) {
  return method(`str.${name}`, ['width', ['fillchar', ' ']], ([value, fillValue]) => {
    const width = integerOf(value)
    const fill = textOf(fillValue, 'The fill character must be a unicode character')
    if (characterCount(fill) !== 1)
      fail('TypeError', 'The fill character must be exactly one character long')
    const count = Math.max(0, width - characterCount(text))
    allocateText(text.length + count)
    return count === 0 ? text : pad(count, fill, width)
  })
}

function zeroFilled(text: string, width: Value): string {
  const count = Math.max(0, integerOf(width) - characterCount(text))
  allocateText(text.length + count)
  const sign = /^[-+]/.test(text) ? text[0] : ''
  return sign + '0'.repeat(count) + text.slice(sign.length)
}

function expandTabs(text: string, size: number): string {
  let column = 0
  let result = ''
  for (const character of text) {
    const width = size > 0 ? size - (column % size) : 0
    allocateText(character === '\t' ? width : 1)
    result += character === '\t' ? ' '.repeat(width) : character
    if (character === '\n' || character === '\r') column = 0
    else column += character === '\t' ? width : 1
  }
  return result
}

function translated(text: string, table: Value): string {
  if (!(table instanceof Dict))
    return fail('TypeError', `'${typeName(table)}' object is not subscriptable`)
  let result = ''
  for (const character of text) {
    const target = table.get(BigInt(character.codePointAt(0) ?? 0))
    const piece = target === undefined ? character : replacement(target)
    allocateText(piece.length)
    result += piece
  }
  return result
}

/** The replacement for a character in a table of `translate`. */
function replacement(target: Value): string {
  if (target === null) return ''
  if (isInteger(target))
    return (
      characterWith(target) ?? fail('ValueError', 'character mapping must be in range(0x110000)')
    )
  return isText(target)
    ? rawText(target)
    : fail('TypeError', 'character mapping must return integer, None or str')
}

function makeTranslation([x, y, z]: Value[]): Value {
  if (y === null) {
    if (!(x instanceof Dict))
      return fail('TypeError', 'if you give only one argument to maketrans it must be a dict')
    return Dict.from(
      Array.from(x.entries(), ([key, value]) => {
        if (isText(key) && characterCount(rawText(key)) !== 1)
          fail('ValueError', 'string keys in translate table must be of length 1')
        return [isText(key) ? codeOf(rawText(key)) : key, value] as const
      }),
    )
  }
  const [from, to] = [Array.from(textOf(x)), Array.from(textOf(y))]
  if (from.length !== to.length)
    fail('ValueError', 'the first two maketrans arguments must have equal length')
  const removed = z === null ? [] : Array.from(textOf(z))
  return Dict.from([
    ...from.map((character, i) => [codeOf(character), codeOf(to[i])] as const),
    ...removed.map((character) => [codeOf(character), null] as const),
  ])
}

const codeOf = (character: string): bigint => BigInt(character.codePointAt(0) ?? 0)
