import { Evaluator } from './evaluator.ts'
import { fail } from './failure.ts'
import { escaped } from './html.ts'
import { allocateText, beginStatement, holding } from './limits.ts'
import { Loop } from './loop.ts'
import { Macro } from './macro.ts'
import { type ForStatement, NO_PARAMETERS, type Signature, type Statement } from './nodes.ts'
import { Markup, TemplateObject, type Value } from './objects.ts'
import { toText } from './repr.ts'
import { Scope } from './scope.ts'
import { iterate, truth } from './sequences.ts'
import { Undefined } from './undefined.ts'

/** The text of a template, and where the assistant wrote it. */
export interface Rendered {
  text: string
  /** Start and end of each `generation` block, in UTF-16 units. */
  answers: readonly (readonly [start: number, end: number])[]
}

/** A jump out of the body of a loop. */
type Jump = 'break' | 'continue' | undefined

/** Executes the statements of a template. */
export class Interpreter extends Evaluator {
  private readonly root: Scope
  /** What the template has written so far. Macros and captured blocks write elsewhere. */
  private page: string[] = []
  private answers: [start: number, end: number][] = []

  /** @param globals the functions of the environment and the variables of the caller */
  constructor(globals: Scope) {
    super()
    this.root = new Scope(globals)
  }

  render(template: readonly Statement[]): Rendered {
    const out: string[] = []
    this.page = out
    this.answers = []
    holding(this.root, () => holding(out, () => this.execute(template, this.root, out)))
    return { text: out.join(''), answers: this.answers }
  }

  /** Executes statements. Returns their text and the jump that ended them. */
  private captured(body: readonly Statement[], scope: Scope): [text: string, jump: Jump] {
    const out: string[] = []
    const jump = holding(scope, () => holding(out, () => this.execute(body, scope, out)))
    return [out.join(''), jump]
  }

  private execute(body: readonly Statement[], scope: Scope, out: string[]): Jump {
    for (const statement of body) {
      beginStatement()
      const jump = this.statement(statement, scope, out)
      if (jump) return jump
    }
    return undefined
  }

  private statement(node: Statement, scope: Scope, out: string[]): Jump {
    switch (node.kind) {
      case 'data':
        this.write(node.text, out)
        return undefined
      case 'output':
        this.write(this.shown(this.evaluate(node.value, scope)), out)
        return undefined
      case 'set':
        this.set(node, scope)
        return undefined
      case 'if': {
        const branch = node.branches.find(({ test }) => truth(this.evaluate(test, scope)))
        return this.execute(branch ? branch.body : node.otherwise, scope, out)
      }
      case 'for':
        this.write(toText(this.forLoop(node, scope, this.evaluate(node.iterable, scope), out)), out)
        return undefined
      case 'with': {
        const inner = new Scope(scope)
        for (const [i, target] of node.targets.entries())
          inner.assign(target, this.evaluate(node.values[i], scope))
        return holding(inner, () => this.execute(node.body, inner, out))
      }
      case 'set block': {
        const [text, jump] = this.captured(node.body, new Scope(scope))
        const value = this.markup(text)
        scope.assign(node.target, node.filter ? this.applyFilter(node.filter, scope, value) : value)
        return jump
      }
      case 'filter block': {
        const inner = new Scope(scope)
        const [text, jump] = this.captured(node.body, inner)
        this.write(this.shown(this.applyFilter(node.filter, inner, this.markup(text))), out)
        return jump
      }
      case 'macro':
        scope.set(node.name, this.macro(node.name, node.signature, node.body, scope))
        return undefined
      case 'call block':
        this.write(this.shown(this.callBlock(node, scope)), out)
        return undefined
      case 'generation':
        this.generation(node, scope, out)
        return undefined
      case 'autoescape':
        return this.withAutoescape(truth(this.evaluate(node.value, scope)), () =>
          this.execute(node.body, new Scope(scope), out),
        )
      case 'block':
        this.block(node, scope, out)
        return undefined
      case 'load':
        this.evaluate(node.template, scope)
        return fail('TypeError', 'no loader for this environment specified')
      case 'break':
      case 'continue':
        return node.kind
    }
  }

  private set(node: Extract<Statement, { kind: 'set' }>, scope: Scope): void {
    const { target } = node
    if (target.kind === 'namespace') scope.namespace(target.name)
    scope.assign(target, this.evaluate(node.value, scope))
  }

  /** Writes to `out`. A recursive loop returns its text instead. */
  private forLoop(node: ForStatement, scope: Scope, items: Value, out: string[], depth = 0): Value {
    if (!node.recursive) {
      this.runLoop(node, scope, items, out, depth)
      return ''
    }
    const written: string[] = []
    holding(written, () => this.runLoop(node, scope, items, written, depth))
    return this.markup(written.join(''))
  }

  private runLoop(
    node: ForStatement,
    scope: Scope,
    items: Value,
    out: string[],
    depth: number,
  ): void {
    const values = node.test ? this.filtered(node, scope, iterate(items)) : iterate(items)
    const recurse = node.recursive
      ? (inner: Value, at: number) => this.forLoop(node, scope, inner, out, at)
      : undefined
    const loop = new Loop(values, node.test ? undefined : knownLength(items), depth, recurse)
    let completed = 0
    let inner = new Scope(scope)
    const holder = { contents: () => [items, ...inner.contents()] }
    holding(holder, () => {
      for (let item = loop.next(); item !== undefined; item = loop.next()) {
        // Each item has a separate scope, which is reused unless a macro keeps it.
        if (node.definesMacros) inner = new Scope(scope)
        else inner.clear()
        inner.assign(node.target, item)
        inner.set('loop', loop)
        const jump = this.execute(node.body, inner, out)
        if (jump === 'break') break
        if (jump !== 'continue') completed++
      }
    })
    // As in Python, `continue` and `break` skip the statement that marks the loop as non-empty.
    if (completed === 0 && node.otherwise.length > 0)
      this.execute(node.otherwise, new Scope(scope), out)
  }

  private *filtered(node: ForStatement, scope: Scope, values: Iterable<Value>): Generator<Value> {
    for (const value of values) {
      const inner = new Scope(scope)
      inner.assign(node.target, value)
      if (!node.test || truth(this.evaluate(node.test, inner))) yield value
    }
  }

  private macro(
    name: string | undefined,
    signature: Signature,
    body: readonly Statement[],
    scope: Scope,
  ): Macro {
    const { parameters, defaults } = signature
    const run = (variables: ReadonlyMap<string, Value | undefined>): string => {
      const inner = new Scope(scope)
      for (const [parameter, value] of variables)
        if (value !== undefined) inner.set(parameter, value)
      for (const [i, parameter] of parameters.entries()) {
        if (variables.get(parameter) !== undefined) continue
        const byDefault = defaults[i - parameters.length + defaults.length]
        const missing = { hint: `parameter '${parameter}' was not provided`, name: parameter }
        inner.set(parameter, byDefault ? this.evaluate(byDefault, inner) : new Undefined(missing))
      }
      return this.captured(body, inner)[0]
    }
    return new Macro({ name, signature, body, scope, run, autoescape: () => this.autoescape })
  }

  private callBlock(node: Extract<Statement, { kind: 'call block' }>, scope: Scope): Value {
    const caller = this.macro(undefined, node.signature, node.body, scope)
    if (node.call.kind !== 'call') return fail('TemplateSyntaxError', 'expected call')
    return this.call(this.evaluate(node.call.callee, scope), node.call.args, scope, caller)
  }

  /** Text of the assistant. As in transformers, it is the body of a call block. */
  private generation(
    { body }: Extract<Statement, { kind: 'generation' }>,
    scope: Scope,
    out: string[],
  ): void {
    const text = this.shown(this.macro(undefined, NO_PARAMETERS, body, scope).call([], new Map()))
    const start = out === this.page ? lengthOf(out) : undefined
    this.write(text, out)
    if (start !== undefined) this.answers.push([start, start + text.length])
  }

  /** A block sees only top-level variables; a scoped block sees all. */
  private block(node: Extract<Statement, { kind: 'block' }>, scope: Scope, out: string[]): void {
    if (node.required) fail('TemplateRuntimeError', `Required block '${node.name}' not found`)
    const inner = new Scope(node.scoped ? scope : this.root)
    holding(inner, () => this.execute(node.body, inner, out))
  }

  private write(text: string, out: string[]): void {
    allocateText(text.length)
    if (text !== '') out.push(text)
  }

  private shown(value: Value): string {
    return this.autoescape ? escaped(value).text : toText(value)
  }

  private markup(text: string): Value {
    return this.autoescape ? new Markup(text) : text
  }

  private withAutoescape<T>(value: boolean, work: () => T): T {
    const { autoescape } = this
    this.autoescape = value
    const result = work()
    this.autoescape = autoescape
    return result
  }
}

const lengthOf = (texts: readonly string[]): number =>
  texts.reduce((sum, { length }) => sum + length, 0)

function knownLength(items: Value): number | undefined {
  if (Array.isArray(items)) return items.length
  if (typeof items === 'string') return Array.from(items).length
  return items instanceof TemplateObject ? items.length?.() : undefined
}
