import { fail } from './failure.ts'
import type { Arguments, Comparison, Expression, FilterExpression } from './nodes.ts'
import type { NumericOperator } from './numbers.ts'
import { describe, type TokenStream } from './token-stream.ts'

// The grammar of expressions, from the operators with the lowest precedence to those with the highest.

const CONSTANTS = new Map<string, null | boolean>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

/** Parses one expression, or several separated by commas as a tuple. */
export function parseTuple(
  stream: TokenStream,
  { withCondition = true, end, inParentheses = false }: TupleOptions = {},
): Expression {
  return tupleOf(stream, () => parseExpression(stream, withCondition), { end, inParentheses })
}

interface TupleOptions {
  withCondition?: boolean
  /** A name that ends the tuple. */
  end?: string
  inParentheses?: boolean
}

function tupleOf(
  stream: TokenStream,
  parse: () => Expression,
  { end, inParentheses }: TupleOptions,
): Expression {
  const items: Expression[] = []
  let isTuple = false
  for (;;) {
    if (items.length > 0) stream.expectOperator(',')
    if (endsTuple(stream, end)) break
    items.push(parse())
    if (!stream.isOperator(',')) break
    isTuple = true
  }
  if (!isTuple && items.length > 0) return items[0]
  if (!isTuple && !inParentheses)
    fail('TemplateSyntaxError', `Expected an expression, got '${describe(stream.current)}'`)
  return { kind: 'tuple', items }
}

export function endsTuple(stream: TokenStream, end?: string): boolean {
  if (stream.isType('variable_end', 'block_end') || stream.isOperator(')')) return true
  return end !== undefined && stream.isName(end)
}

export function parseExpression(stream: TokenStream, withCondition = true): Expression {
  if (!withCondition) return parseOr(stream)
  let { line } = stream.current
  let result = parseOr(stream)
  while (stream.takeName('if')) {
    const test = parseOr(stream)
    const otherwise = stream.takeName('else') ? parseExpression(stream) : undefined
    result = { kind: 'condition', test, value: result, otherwise, line }
    line = stream.current.line
  }
  return result
}

function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream)
  while (stream.takeName('or')) left = { kind: 'or', left, right: parseAnd(stream) }
  return left
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream)
  while (stream.takeName('and')) left = { kind: 'and', left, right: parseNot(stream) }
  return left
}

function parseNot(stream: TokenStream): Expression {
  return stream.takeName('not')
    ? { kind: 'not', operand: parseNot(stream) }
    : parseComparison(stream)
}

const COMPARISONS: readonly Comparison[] = ['==', '!=', '<', '<=', '>', '>=']

function parseComparison(stream: TokenStream): Expression {
  const first = parseSum(stream)
  const rest: { operator: Comparison; operand: Expression }[] = []
  for (let operator = comparison(stream); operator; operator = comparison(stream))
    rest.push({ operator, operand: parseSum(stream) })
  return rest.length > 0 ? { kind: 'compare', first, rest } : first
}

function comparison(stream: TokenStream): Comparison | undefined {
  if (stream.takeName('in')) return 'in'
  if (stream.isName('not') && stream.ahead.type === 'name' && stream.ahead.value === 'in') {
    stream.next()
    stream.next()
    return 'not in'
  }
  return COMPARISONS.find((operator) => stream.takeOperator(operator))
}

function parseSum(stream: TokenStream): Expression {
  return leftToRight(stream, ['+', '-'], parseConcatenation)
}

function parseConcatenation(stream: TokenStream): Expression {
  const items = [parseProduct(stream)]
  while (stream.takeOperator('~')) items.push(parseProduct(stream))
  return items.length > 1 ? { kind: 'concat', items } : items[0]
}

function parseProduct(stream: TokenStream): Expression {
  return leftToRight(stream, ['*', '/', '//', '%'], parsePower)
}

function parsePower(stream: TokenStream): Expression {
  return leftToRight(stream, ['**'], parseUnary)
}

function leftToRight(
  stream: TokenStream,
  operators: readonly NumericOperator[],
  parse: (stream: TokenStream) => Expression,
): Expression {
  let left = parse(stream)
  for (;;) {
    const operator = operators.find((candidate) => stream.takeOperator(candidate))
    if (!operator) return left
    left = { kind: 'binary', operator, left, right: parse(stream) }
  }
}

function parseUnary(stream: TokenStream): Expression {
  return parseFilters(stream, parseSigned(stream))
}

function parseSigned(stream: TokenStream): Expression {
  const operator = (['-', '+'] as const).find((sign) => stream.takeOperator(sign))
  const operand = operator ? parseSigned(stream) : parsePrimary(stream)
  return parsePostfix(stream, operator ? { kind: 'unary', operator, operand } : operand)
}

export function parsePrimary(stream: TokenStream): Expression {
  const token = stream.current
  if (stream.isOperator('[')) return parseList(stream)
  if (stream.isOperator('{')) return parseDict(stream)
  if (stream.takeOperator('(')) {
    const inner = parseTuple(stream, { inParentheses: true })
    stream.expectOperator(')')
    return inner
  }
  if (!stream.isType('name', 'string', 'integer', 'float'))
    fail('TemplateSyntaxError', `unexpected '${describe(token)}'`)
  stream.next()
  if (token.type === 'name') {
    const value = CONSTANTS.get(token.value)
    return value === undefined ? { kind: 'name', name: token.value } : { kind: 'constant', value }
  }
  if (token.type === 'integer') return { kind: 'constant', value: integer(token.value) }
  if (token.type === 'float')
    return { kind: 'constant', value: Number(token.value.replaceAll('_', '')) }
  let text = token.value
  while (stream.isType('string')) text += stream.next().value
  return { kind: 'constant', value: text }
}

const integer = (text: string): bigint => BigInt(text.replaceAll('_', '').toLowerCase())

function parseList(stream: TokenStream): Expression {
  stream.expectOperator('[')
  const items: Expression[] = []
  separated(stream, ']', () => items.push(parseExpression(stream)))
  return { kind: 'list', items }
}

function parseDict(stream: TokenStream): Expression {
  stream.expectOperator('{')
  const items: { key: Expression; value: Expression }[] = []
  separated(stream, '}', () => {
    const key = parseExpression(stream)
    stream.expectOperator(':')
    items.push({ key, value: parseExpression(stream) })
  })
  return { kind: 'dict', items }
}

/** Parses items separated by commas up to a bracket. A trailing comma is allowed. */
function separated(stream: TokenStream, end: string, parse: () => void): void {
  for (let first = true; !stream.isOperator(end); first = false) {
    if (!first) stream.expectOperator(',')
    if (stream.isOperator(end)) break
    parse()
  }
  stream.expectOperator(end)
}

function parsePostfix(stream: TokenStream, start: Expression): Expression {
  let node = start
  for (;;) {
    if (stream.isOperator('.', '[')) node = parseSubscript(stream, node)
    else if (stream.isOperator('('))
      node = { kind: 'call', callee: node, args: parseArguments(stream) }
    else return node
  }
}

function parseFilters(stream: TokenStream, start: Expression): Expression {
  let node = start
  for (;;) {
    if (stream.takeOperator('|')) node = parseFilter(stream, node)
    else if (stream.isName('is')) node = parseTest(stream, node)
    else if (stream.isOperator('('))
      node = { kind: 'call', callee: node, args: parseArguments(stream) }
    else return node
  }
}

function parseSubscript(stream: TokenStream, object: Expression): Expression {
  if (stream.takeOperator('.')) {
    const token = stream.next()
    if (token.type === 'name') return { kind: 'attribute', object, name: token.value }
    if (token.type !== 'integer') fail('TemplateSyntaxError', 'expected name or number')
    return { kind: 'item', object, key: { kind: 'constant', value: integer(token.value) } }
  }
  stream.expectOperator('[')
  const keys: Subscript[] = []
  while (!stream.isOperator(']')) {
    if (keys.length > 0) stream.expectOperator(',')
    keys.push(parseSubscribed(stream))
  }
  stream.expectOperator(']')
  const [first] = keys
  if (keys.length === 1)
    return 'key' in first
      ? { kind: 'item', object, key: first.key }
      : { kind: 'slice', object, ...first }
  const items = keys.map((key) =>
    'key' in key ? key.key : fail('TemplateSyntaxError', 'slices in a tuple are not supported'),
  )
  return { kind: 'item', object, key: { kind: 'tuple', items } }
}

type Subscript = { key: Expression } | { start?: Expression; stop?: Expression; step?: Expression }

function parseSubscribed(stream: TokenStream): Subscript {
  const start = stream.isOperator(':') ? undefined : parseExpression(stream)
  if (start && !stream.isOperator(':')) return { key: start }
  stream.expectOperator(':')
  const bound = () => (stream.isOperator(']', ',', ':') ? undefined : parseExpression(stream))
  const stop = bound()
  const step = stream.takeOperator(':') ? bound() : undefined
  return { start, stop, step }
}

function parseArguments(stream: TokenStream): Arguments {
  stream.expectOperator('(')
  const args: Arguments = { positional: [], keywords: [], list: undefined, mapping: undefined }
  const ensure = (valid: boolean): void => {
    if (!valid) fail('TemplateSyntaxError', 'invalid syntax for function call expression')
  }
  separated(stream, ')', () => {
    if (stream.isOperator('*')) {
      ensure(!args.list && !args.mapping)
      stream.next()
      args.list = parseExpression(stream)
    } else if (stream.isOperator('**')) {
      ensure(!args.mapping)
      stream.next()
      args.mapping = parseExpression(stream)
    } else if (
      stream.isType('name') &&
      stream.ahead.type === 'operator' &&
      stream.ahead.value === '='
    ) {
      ensure(!args.mapping)
      const name = stream.next().value
      stream.next()
      args.keywords.push({ name, value: parseExpression(stream) })
    } else {
      ensure(!args.list && !args.mapping && args.keywords.length === 0)
      args.positional.push(parseExpression(stream))
    }
  })
  return args
}

const NO_ARGUMENTS: Arguments = {
  positional: [],
  keywords: [],
  list: undefined,
  mapping: undefined,
}

/** Parses a filter after its `|`, or at the start of a filter block. */
export function parseFilter(stream: TokenStream, operand?: Expression): FilterExpression {
  const { line } = stream.current
  const name = dottedName(stream)
  const args = stream.isOperator('(') ? parseArguments(stream) : NO_ARGUMENTS
  return { kind: 'filter', operand, name, args, line }
}

function parseTest(stream: TokenStream, operand: Expression): Expression {
  const { line } = stream.next()
  const negated = stream.takeName('not')
  const name = dottedName(stream)
  const test: Expression = { kind: 'test', operand, name, args: testArguments(stream), line }
  return negated ? { kind: 'not', operand: test } : test
}

function testArguments(stream: TokenStream): Arguments {
  if (stream.isOperator('(')) return parseArguments(stream)
  const follows = stream.isType('name', 'string', 'integer', 'float') || stream.isOperator('[', '{')
  if (!follows || stream.isName('else', 'or', 'and')) return NO_ARGUMENTS
  if (stream.isName('is')) fail('TemplateSyntaxError', 'You cannot chain multiple tests with is')
  return { ...NO_ARGUMENTS, positional: [parsePostfix(stream, parsePrimary(stream))] }
}

function dottedName(stream: TokenStream): string {
  let name = stream.expectType('name').value
  while (stream.takeOperator('.')) name += `.${stream.expectType('name').value}`
  return name
}
