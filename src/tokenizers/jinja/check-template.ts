import { fail } from './failure.ts'
import { FILTERS } from './filters.ts'
import { childrenOf, type Statement } from './nodes.ts'
import { TESTS } from './tests.ts'

/** The checks of Jinja's compiler: names of filters, tests and blocks, and the positions of `break` and `continue`. */
export function checkTemplate(template: readonly Statement[]): void {
  const blocks = new Set<string>()
  visit(template, { soft: false, inLoop: false })

  function visit(node: object, state: State): void {
    let inner = state
    if ('kind' in node) {
      check(node, state)
      inner = insideOf(node.kind, state)
    }
    const outside = 'iterable' in node ? node.iterable : undefined
    for (const child of childrenOf(node)) visit(child, child === outside ? state : inner)
  }

  function check(node: object, { soft, inLoop }: State): void {
    if (!('kind' in node)) return
    const name = 'name' in node ? String(node.name) : ''
    if (node.kind === 'filter' && !soft && !FILTERS.has(name))
      fail('TemplateAssertionError', `No filter named '${name}'.`)
    if (node.kind === 'test' && !soft && !TESTS.has(name))
      fail('TemplateAssertionError', `No test named '${name}'.`)
    if (node.kind === 'block') {
      if (blocks.has(name)) fail('TemplateAssertionError', `block '${name}' defined twice`)
      blocks.add(name)
    }
    if (node.kind === 'for' && assignsLoop(node))
      fail('TemplateAssertionError', "Can't assign to special loop variable in for-loop target")
    if (node.kind === 'break' && !inLoop) fail('TemplateSyntaxError', "'break' outside loop")
    if (node.kind === 'continue' && !inLoop)
      fail('TemplateSyntaxError', "'continue' not properly in loop")
  }
}

interface State {
  /** Whether the node is in a conditional branch, where unknown names are reported only on use. */
  soft: boolean
  inLoop: boolean
}

const SCOPES = new Set<unknown>(['for', 'with', 'set block', 'filter block', 'autoescape', 'block'])
const FUNCTIONS = new Set<unknown>(['macro', 'call block', 'generation', 'block'])

function insideOf(kind: unknown, state: State): State {
  if (kind === 'if' || kind === 'condition') return { ...state, soft: true }
  if (kind === 'for') return { soft: false, inLoop: true }
  if (FUNCTIONS.has(kind)) return { soft: false, inLoop: false }
  return SCOPES.has(kind) ? { ...state, soft: false } : state
}

function assignsLoop(node: object): boolean {
  if ('kind' in node && node.kind === 'store' && 'name' in node && node.name === 'loop') return true
  for (const child of childrenOf(node)) if (assignsLoop(child)) return true
  return false
}
