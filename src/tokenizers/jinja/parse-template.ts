import { fail } from './failure.ts'
import { tokenize } from './lexer.ts'
import { type Expression, type FilterExpression, NO_PARAMETERS, type Signature, type Statement, type Target } from './nodes.ts' // biome-ignore format: one line
import {
  endsTuple,
  parseExpression,
  parseFilter,
  parsePrimary,
  parseTuple,
} from './parse-expression.ts'
import { describe, TokenStream } from './token-stream.ts'

/** Parses a template. Raises TemplateSyntaxError. */
export function parseTemplate(source: string): Statement[] {
  return new Parser(new TokenStream(tokenize(source))).statements([])
}

class Parser {
  private readonly stream: TokenStream
  /** Names of the open tags, and the end tags of each level. */
  private readonly tags: string[] = []
  private readonly ends: (readonly string[])[] = []
  private macroCount = 0

  constructor(stream: TokenStream) {
    this.stream = stream
  }

  /** Parses statements up to one of these end tags, which is not consumed; up to the end of the template if empty. */
  statements(ends: readonly string[]): Statement[] {
    const { stream } = this
    const body: Statement[] = []
    if (ends.length > 0) this.ends.push(ends)
    while (!stream.isType('eof')) {
      const token = stream.next()
      if (token.type === 'data') body.push({ kind: 'data', text: token.value })
      else if (token.type === 'variable_begin') {
        body.push({ kind: 'output', value: parseTuple(stream) })
        stream.expectType('variable_end')
      } else {
        if (stream.isName(...ends)) break
        body.push(...this.statement())
        stream.expectType('block_end')
      }
    }
    if (ends.length > 0) {
      if (stream.isType('eof')) this.failUnknown(undefined)
      this.ends.pop()
    }
    return body
  }

  /** Parses the body of a statement up to its end tag, which is consumed. */
  private body(end: string): Statement[] {
    const body = this.branch([end])
    this.stream.next()
    return body
  }

  private branch(ends: readonly string[]): Statement[] {
    this.stream.takeOperator(':')
    this.stream.expectType('block_end')
    return this.statements(ends)
  }

  private statement(): Statement[] {
    const { stream } = this
    const { type, value: tag, line } = stream.current
    if (type !== 'name') fail('TemplateSyntaxError', 'tag name expected')
    if (!Object.hasOwn(this.parsers, tag)) this.failUnknown(tag)
    this.tags.push(tag)
    stream.next()
    if (MACROS.includes(tag)) this.macroCount++
    const statement = this.parsers[tag](line)
    this.tags.pop()
    return Array.isArray(statement) ? statement : [statement]
  }

  private readonly parsers: Record<string, (line: number) => Statement | Statement[]> = {
    for: (line) => this.forLoop(line),
    if: () => this.condition(),
    set: () => this.assignment(),
    with: () => this.withBlock(),
    macro: (line) => {
      const name = this.stream.expectType('name').value
      const signature = this.signature()
      return { kind: 'macro', name, signature, body: this.body('endmacro'), line }
    },
    call: (line) => {
      const signature = this.stream.isOperator('(') ? this.signature() : NO_PARAMETERS
      const call = parseExpression(this.stream)
      if (call.kind !== 'call') fail('TemplateSyntaxError', 'expected call')
      return { kind: 'call block', signature, call, body: this.body('endcall'), line }
    },
    // An extension of transformers: marks text of the assistant, and renders it.
    generation: () => ({ kind: 'generation', body: this.body('endgeneration') }),
    filter: () => {
      const filter = this.filters(parseFilter(this.stream))
      return { kind: 'filter block', filter, body: this.body('endfilter') }
    },
    autoescape: () => {
      const value = parseExpression(this.stream)
      return { kind: 'autoescape', value, body: this.body('endautoescape') }
    },
    print: () => this.print(),
    block: (line) => this.block(line),
    break: (line) => ({ kind: 'break', line }),
    continue: (line) => ({ kind: 'continue', line }),
    extends: () => ({ kind: 'load', template: parseExpression(this.stream) }),
    include: () =>
      this.load(() => {
        if (!this.stream.takeName('ignore')) return
        this.stream.expectName('missing')
      }),
    import: () =>
      this.load(() => {
        this.stream.expectName('as')
        this.stream.expectType('name')
      }),
    from: () =>
      this.load(() => {
        this.stream.expectName('import')
        while (this.stream.isType('name') || this.stream.isOperator(',')) this.stream.next()
      }),
  }

  private forLoop(line: number): Statement {
    const { stream } = this
    const target = this.target({ end: 'in' })
    stream.expectName('in')
    const iterable = parseTuple(stream, { withCondition: false, end: 'recursive' })
    const test = stream.takeName('if') ? parseExpression(stream) : undefined
    const recursive = stream.takeName('recursive')
    const { macroCount } = this
    const body = this.branch(['endfor', 'else'])
    const definesMacros = this.macroCount > macroCount
    const otherwise = stream.next().value === 'else' ? this.body('endfor') : []
    return { kind: 'for', target, iterable, test, recursive, definesMacros, body, otherwise, line }
  }

  private condition(): Statement {
    const { stream } = this
    const branches: { test: Expression; body: Statement[] }[] = []
    for (;;) {
      const test = parseTuple(stream, { withCondition: false })
      branches.push({ test, body: this.branch(['elif', 'else', 'endif']) })
      const { value } = stream.next()
      if (value === 'elif') continue
      return { kind: 'if', branches, otherwise: value === 'else' ? this.body('endif') : [] }
    }
  }

  private assignment(): Statement {
    const target = this.target({ withNamespace: true })
    if (this.stream.takeOperator('='))
      return { kind: 'set', target, value: parseTuple(this.stream) }
    const filter = this.stream.takeOperator('|')
      ? this.filters(parseFilter(this.stream))
      : undefined
    return { kind: 'set block', target, filter, body: this.body('endset') }
  }

  /** Parses the filters after the first one of a block. */
  private filters(first: FilterExpression): FilterExpression {
    let filter = first
    while (this.stream.takeOperator('|')) filter = parseFilter(this.stream, filter)
    return filter
  }

  private withBlock(): Statement {
    const { stream } = this
    const targets: Target[] = []
    const values: Expression[] = []
    while (!stream.isType('block_end')) {
      if (targets.length > 0) stream.expectOperator(',')
      targets.push(this.target())
      stream.expectOperator('=')
      values.push(parseExpression(stream))
    }
    return { kind: 'with', targets, values, body: this.body('endwith') }
  }

  private print(): Statement[] {
    const values: Statement[] = []
    while (!this.stream.isType('block_end')) {
      if (values.length > 0) this.stream.expectOperator(',')
      values.push({ kind: 'output', value: parseExpression(this.stream) })
    }
    return values
  }

  private block(line: number): Statement {
    const { stream } = this
    const name = stream.expectType('name').value
    const scoped = stream.takeName('scoped')
    const required = stream.takeName('required')
    if (stream.isOperator('-'))
      fail(
        'TemplateSyntaxError',
        'Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.',
      )
    const body = this.body('endblock')
    const isBlank = body.every((item) => item.kind === 'data' && item.text.trim() === '')
    if (required && !isBlank)
      fail('TemplateSyntaxError', 'Required blocks can only contain comments or whitespace')
    stream.takeName(name)
    return { kind: 'block', name, scoped, required, body, line }
  }

  /** Statements that load another template, which is not possible. */
  private load(rest: () => void): Statement {
    const template = parseExpression(this.stream)
    rest()
    if (this.stream.takeName('with') || this.stream.takeName('without'))
      this.stream.expectName('context')
    return { kind: 'load', template }
  }

  private signature(): Signature {
    const { stream } = this
    const parameters: string[] = []
    const defaults: Expression[] = []
    stream.expectOperator('(')
    while (!stream.isOperator(')')) {
      if (parameters.length > 0) stream.expectOperator(',')
      const name = stream.expectType('name').value
      if (stream.takeOperator('=')) defaults.push(parseExpression(stream))
      else if (defaults.length > 0)
        fail('TemplateSyntaxError', 'non-default argument follows default argument')
      parameters.push(name)
    }
    stream.expectOperator(')')
    return { parameters, defaults }
  }

  private target({
    end,
    withNamespace = false,
  }: {
    end?: string
    withNamespace?: boolean
  } = {}): Target {
    const { stream } = this
    const items: Target[] = []
    let isTuple = false
    for (;;) {
      if (items.length > 0) stream.expectOperator(',')
      if (endsTuple(stream, end)) break
      items.push(this.targetItem(withNamespace))
      if (!stream.isOperator(',')) break
      isTuple = true
    }
    if (!isTuple && items.length === 0)
      fail('TemplateSyntaxError', `Expected an expression, got '${describe(stream.current)}'`)
    return isTuple ? { kind: 'targets', items } : items[0]
  }

  private targetItem(withNamespace: boolean): Target {
    const { stream } = this
    const { type, value, line } = stream.current
    const { type: nextType, value: nextValue } = stream.ahead
    if (withNamespace && type === 'name' && nextType === 'operator' && nextValue === '.') {
      stream.next()
      stream.next()
      return { kind: 'namespace', name: value, attribute: stream.expectType('name').value }
    }
    return assignable(parsePrimary(stream), line)
  }

  private failUnknown(tag: string | undefined): never {
    const wanted = this.ends
      .at(-1)
      ?.map((name) => `'${name}'`)
      .join(' or ')
    const text = [
      tag === undefined ? 'Unexpected end of template.' : `Encountered unknown tag '${tag}'.`,
    ]
    if (wanted && tag !== undefined && this.ends.some((names) => names.includes(tag)))
      text.push(
        `You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for ${wanted}.`,
      )
    else if (wanted) text.push(`Jinja was looking for the following tags: ${wanted}.`)
    const innermost = this.tags.at(-1)
    if (innermost) text.push(`The innermost block that needs to be closed is '${innermost}'.`)
    return fail('TemplateSyntaxError', text.join(' '))
  }
}

const MACROS = ['macro', 'call', 'generation']

function assignable(node: Expression, line: number): Target {
  if (node.kind === 'name') return { kind: 'store', name: node.name, line }
  if (node.kind === 'tuple')
    return { kind: 'targets', items: node.items.map((item) => assignable(item, line)) }
  const type = node.kind === 'constant' ? 'const' : node.kind
  return fail('TemplateSyntaxError', `can't assign to '${type}'`)
}
