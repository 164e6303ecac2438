import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { type Holder, nested } from './limits.ts'
import { childrenOf, type Signature, type Statement } from './nodes.ts'
import { type Keywords, Markup, TemplateObject, Tuple, type Value } from './objects.ts'
import { quoted } from './repr.ts'
import { Undefined } from './undefined.ts'

export interface MacroDefinition {
  name: string | undefined
  signature: Signature
  body: readonly Statement[]
  /** The scope of its definition. */
  scope: Holder
  /** Renders the body with these variables. Undefined ones get their defaults. */
  run(variables: ReadonlyMap<string, Value | undefined>): string
  autoescape(): boolean
}

/** A macro, or the body of a call block as `caller`. */
export class Macro extends TemplateObject {
  readonly typeName = 'Macro'
  override readonly module = 'jinja2.runtime'
  private readonly definition: MacroDefinition
  private readonly used: ReadonlySet<string>

  constructor(definition: MacroDefinition) {
    super()
    this.definition = definition
    this.used = freeNames(definition.body, new Set(['caller', 'kwargs', 'varargs']))
  }

  override contents(): Iterable<Value> {
    return this.definition.scope.contents()
  }

  override attribute(name: string): Value | undefined {
    const { signature } = this.definition
    if (name === 'name') return this.definition.name ?? null
    if (name === 'arguments') return new Tuple(signature.parameters)
    if (name === 'catch_kwargs') return this.used.has('kwargs')
    if (name === 'catch_varargs') return this.used.has('varargs')
    return name === 'caller' ? this.used.has('caller') : undefined
  }

  override call(args: readonly Value[], keywords: Keywords): Value {
    const { run, autoescape } = this.definition
    const variables = this.bind(args, keywords)
    const holder: Holder = {
      contents: () => [...variables.values()].filter((value) => value !== undefined),
    }
    const text = nested(holder, () => run(variables))
    return autoescape() ? new Markup(text) : text
  }

  override repr(): string {
    const { name } = this.definition
    return `<Macro ${name === undefined ? 'anonymous' : quoted(name)}>`
  }

  private bind(args: readonly Value[], keywords: Keywords): Map<string, Value | undefined> {
    const { signature } = this.definition
    const { parameters } = signature
    const rest = new Map(keywords)
    const variables = new Map<string, Value | undefined>()
    for (const [i, name] of parameters.entries()) {
      const isGiven = i < args.length
      variables.set(name, isGiven ? args[i] : rest.get(name))
      if (!isGiven) rest.delete(name)
    }
    if (this.used.has('caller') && !parameters.includes('caller')) {
      const none = new Undefined({ hint: 'No caller defined', name: 'caller' })
      variables.set('caller', rest.get('caller') ?? none)
      rest.delete('caller')
    }
    if (this.used.has('kwargs') && !parameters.includes('kwargs'))
      variables.set('kwargs', Dict.from(rest))
    else if (rest.size > 0) this.failKeywords(rest)
    if (this.used.has('varargs') && !parameters.includes('varargs'))
      variables.set('varargs', new Tuple(args.slice(parameters.length)))
    else if (args.length > parameters.length)
      fail(
        'TypeError',
        `macro ${this.shownName()} takes not more than ${parameters.length} argument(s)`,
      )
    return variables
  }

  private failKeywords(rest: Keywords): never {
    if (rest.has('caller'))
      fail(
        'TypeError',
        `macro ${this.shownName()} was invoked with two values for the special caller argument. This is most likely a bug.`,
      )
    const [name] = rest.keys()
    return fail('TypeError', `macro ${this.shownName()} takes no keyword argument ${quoted(name)}`)
  }

  private shownName(): string {
    const { name } = this.definition
    return name === undefined ? 'None' : quoted(name)
  }
}

/** The names that are read before they are assigned, in the order of the source. */
function freeNames(body: readonly Statement[], names: ReadonlySet<string>): Set<string> {
  const open = new Set(names)
  const free = new Set<string>()
  const visit = (node: object): void => {
    if ('kind' in node && 'name' in node && typeof node.name === 'string') {
      if (node.kind === 'name' && open.has(node.name)) free.add(node.name)
      if (node.kind === 'store') open.delete(node.name)
    }
    if ('kind' in node && node.kind === 'block') return
    for (const child of childrenOf(node)) visit(child)
  }
  for (const statement of body) visit(statement)
  return free
}
