import { getAttribute, getItem } from './attributes.ts'
import { equals, inOrder } from './compare.ts'
import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { FILTERS, type Filter } from './filters.ts'
import { allocateList, allocateText, spend } from './limits.ts'
import type { Arguments, Comparison, Expression } from './nodes.ts'
import {
  isText,
  type Keywords,
  rawText,
  TemplateObject,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { binary, unary } from './operators.ts'
import { repr, toText } from './repr.ts'
import type { Scope } from './scope.ts'
import { contains, iterate, sliceOf, truth } from './sequences.ts'
import { TESTS } from './tests.ts'
import { Undefined } from './undefined.ts'

/** The part of the renderer that filters and tests can use. */
export interface Environment {
  /** Whether to escape text for HTML. Off unless a template turns it on. */
  readonly autoescape: boolean
  filter(name: Value, args: readonly Value[], keywords: Keywords): Value
  test(name: Value, args: readonly Value[], keywords: Keywords): Value
}

/** Evaluates expressions. */
export class Evaluator implements Environment {
  autoescape = false

  evaluate(node: Expression, scope: Scope): Value {
    spend(1)
    switch (node.kind) {
      case 'constant':
        return node.value
      case 'name':
        return scope.get(node.name) ?? this.missing(node.name, scope)
      case 'attribute':
        return getAttribute(this.evaluate(node.object, scope), node.name)
      case 'item':
        return getItem(this.evaluate(node.object, scope), this.evaluate(node.key, scope))
      case 'and': {
        const left = this.evaluate(node.left, scope)
        return truth(left) ? this.evaluate(node.right, scope) : left
      }
      case 'or': {
        const left = this.evaluate(node.left, scope)
        return truth(left) ? left : this.evaluate(node.right, scope)
      }
      case 'not':
        return !truth(this.evaluate(node.operand, scope))
      case 'compare':
        return this.compare(node, scope)
      case 'binary':
        return binary(
          node.operator,
          this.evaluate(node.left, scope),
          this.evaluate(node.right, scope),
        )
      case 'unary':
        return unary(node.operator, this.evaluate(node.operand, scope))
      case 'concat':
        return this.concat(node.items, scope)
      case 'condition':
        return this.condition(node, scope)
      case 'call':
        return this.call(this.evaluate(node.callee, scope), node.args, scope)
      case 'filter':
        return this.applyFilter(node, scope)
      case 'test': {
        const [args, keywords] = this.arguments(node.args, scope, [
          this.evaluate(node.operand, scope),
        ])
        return this.known('test', TESTS, node.name)(args, keywords, this)
      }
      case 'list':
        return this.list(node.items, scope)
      case 'tuple':
        return new Tuple(this.list(node.items, scope))
      case 'dict':
        return this.dict(node.items, scope)
      case 'slice':
        return this.slice(node, scope)
    }
  }

  applyFilter(node: Extract<Expression, { kind: 'filter' }>, scope: Scope, block?: Value): Value {
    const { operand } = node
    const nestedFilter = operand?.kind === 'filter' && block !== undefined
    const value = nestedFilter
      ? this.applyFilter(operand, scope, block)
      : operand
        ? this.evaluate(operand, scope)
        : (block ?? '')
    const [args, keywords] = this.arguments(node.args, scope, [value])
    return this.known('filter', FILTERS, node.name)(args, keywords, this)
  }

  filter(name: Value, args: readonly Value[], keywords: Keywords): Value {
    const filter = isText(name) ? FILTERS.get(rawText(name)) : undefined
    return filter ? filter(args, keywords, this) : this.unknown('filter', name)
  }

  test(name: Value, args: readonly Value[], keywords: Keywords): Value {
    const test = isText(name) ? TESTS.get(rawText(name)) : undefined
    return test ? test(args, keywords, this) : this.unknown('test', name)
  }

  call(callee: Value, args: Arguments, scope: Scope, caller?: Value): Value {
    const [values, keywords] = this.arguments(args, scope, [], caller)
    if (callee instanceof TemplateObject && callee.call) return callee.call(values, keywords)
    return fail('TypeError', `'${typeName(callee)}' object is not callable`)
  }

  private known(kind: string, table: ReadonlyMap<string, Filter>, name: string): Filter {
    const filter = table.get(name)
    return filter ?? fail('TemplateRuntimeError', `No ${kind} named '${name}' found.`)
  }

  private unknown(kind: string, name: Value): never {
    const hint =
      name instanceof Undefined
        ? ` (${name.message()}; did you forget to quote the callable name?)`
        : ''
    return fail('TemplateRuntimeError', `No ${kind} named ${repr(name)}.${hint}`)
  }

  /** Called if `??` found no value: distinguishes None from an undefined name. */
  private missing(name: string, scope: Scope): Value {
    return scope.get(name) === null ? null : new Undefined({ name })
  }

  private arguments(
    { positional, keywords, list, mapping }: Arguments,
    scope: Scope,
    values: Value[],
    caller?: Value,
  ): [Value[], Keywords] {
    for (const node of positional) values.push(this.evaluate(node, scope))
    if (keywords.length === 0 && !list && !mapping && !caller) return [values, NO_KEYWORDS]
    const named = new Map<string, Value>()
    const add = (name: string, value: Value): void => {
      if (named.has(name)) fail('TypeError', `got multiple values for keyword argument '${name}'`)
      named.set(name, value)
    }
    for (const { name, value } of keywords) add(name, this.evaluate(value, scope))
    if (caller) add('caller', caller)
    if (list) for (const item of iterate(this.evaluate(list, scope))) values.push(item)
    if (mapping) {
      const entries = this.evaluate(mapping, scope)
      if (!(entries instanceof Dict))
        return fail('TypeError', `argument after ** must be a mapping, not ${typeName(entries)}`)
      for (const [name, value] of entries.entries()) {
        if (typeof name !== 'string') fail('TypeError', 'keywords must be strings')
        add(name, value)
      }
    }
    return [values, named]
  }

  private compare(node: Extract<Expression, { kind: 'compare' }>, scope: Scope): Value {
    let left = this.evaluate(node.first, scope)
    for (const { operator, operand } of node.rest) {
      const right = this.evaluate(operand, scope)
      if (!compared(operator, left, right)) return false
      left = right
    }
    return true
  }

  private condition(node: Extract<Expression, { kind: 'condition' }>, scope: Scope): Value {
    if (truth(this.evaluate(node.test, scope))) return this.evaluate(node.value, scope)
    if (node.otherwise) return this.evaluate(node.otherwise, scope)
    return new Undefined({
      hint: `the inline if-expression on line ${node.line} evaluated to false and no else section was defined.`,
    })
  }

  private concat(items: readonly Expression[], scope: Scope): Value {
    let text = ''
    for (const item of items) {
      const piece = toText(this.evaluate(item, scope))
      allocateText(Math.min(text.length, piece.length) + 16)
      text += piece
    }
    return text
  }

  private list(items: readonly Expression[], scope: Scope): Value[] {
    allocateList(items.length)
    return items.map((item) => this.evaluate(item, scope))
  }

  private dict(items: readonly { key: Expression; value: Expression }[], scope: Scope): Value {
    const dict = new Dict()
    for (const { key, value } of items)
      dict.set(this.evaluate(key, scope), this.evaluate(value, scope))
    return dict
  }

  private slice(node: Extract<Expression, { kind: 'slice' }>, scope: Scope): Value {
    const object = this.evaluate(node.object, scope)
    const bound = (bound: Expression | undefined) => (bound ? this.evaluate(bound, scope) : null)
    return sliceOf(object, {
      start: bound(node.start),
      stop: bound(node.stop),
      step: bound(node.step),
    })
  }
}

const NO_KEYWORDS: Keywords = new Map()

function compared(operator: Comparison, left: Value, right: Value): boolean {
  if (operator === '==') return equals(left, right)
  if (operator === '!=') return !equals(left, right)
  if (operator === 'in') return contains(right, left)
  return operator === 'not in' ? !contains(right, left) : inOrder(operator, left, right)
}
