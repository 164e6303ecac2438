import type { OrderOperator } from './compare.ts'
import type { NumericOperator } from './numbers.ts'

// The syntax tree of a template. Line numbers start at 1.

export type Comparison = OrderOperator | '==' | '!=' | 'in' | 'not in'

export interface Arguments {
  positional: Expression[]
  keywords: { name: string; value: Expression }[]
  /** `*values` and `**values` */
  list: Expression | undefined
  mapping: Expression | undefined
}

export type Expression =
  | { kind: 'constant'; value: null | boolean | bigint | number | string }
  | { kind: 'name'; name: string }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'tuple'; items: Expression[] }
  | { kind: 'dict'; items: { key: Expression; value: Expression }[] }
  | { kind: 'condition'; test: Expression; value: Expression; otherwise?: Expression; line: number }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; operand: Expression }
  | { kind: 'compare'; first: Expression; rest: { operator: Comparison; operand: Expression }[] }
  | { kind: 'binary'; operator: NumericOperator; left: Expression; right: Expression }
  | { kind: 'unary'; operator: '-' | '+'; operand: Expression }
  | { kind: 'concat'; items: Expression[] }
  | { kind: 'attribute'; object: Expression; name: string }
  | { kind: 'item'; object: Expression; key: Expression }
  | { kind: 'slice'; object: Expression; start?: Expression; stop?: Expression; step?: Expression }
  | { kind: 'call'; callee: Expression; args: Arguments }
  | FilterExpression
  | { kind: 'test'; operand: Expression; name: string; args: Arguments; line: number }

/** A filter. It has no operand in a filter block, which filters its text. */
export interface FilterExpression {
  kind: 'filter'
  operand?: Expression
  name: string
  args: Arguments
  line: number
}

export type Target =
  | { kind: 'store'; name: string; line: number }
  | { kind: 'namespace'; name: string; attribute: string }
  | { kind: 'targets'; items: Target[] }

/** Parameters of a macro or a call block. The defaults belong to the last parameters. */
export interface Signature {
  parameters: string[]
  defaults: Expression[]
}

export const NO_PARAMETERS: Signature = { parameters: [], defaults: [] }

export type Statement =
  | { kind: 'data'; text: string }
  | { kind: 'output'; value: Expression }
  | { kind: 'set'; target: Target; value: Expression }
  | { kind: 'set block'; target: Target; filter?: FilterExpression; body: Statement[] }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | ForStatement
  | { kind: 'with'; targets: Target[]; values: Expression[]; body: Statement[] }
  | { kind: 'macro'; name: string; signature: Signature; body: Statement[]; line: number }
  | { kind: 'call block'; signature: Signature; call: Expression; body: Statement[]; line: number }
  /** Text that the assistant writes. */
  | { kind: 'generation'; body: Statement[] }
  | { kind: 'filter block'; filter: FilterExpression; body: Statement[] }
  | { kind: 'autoescape'; value: Expression; body: Statement[] }
  | {
      kind: 'block'
      name: string
      scoped: boolean
      required: boolean
      body: Statement[]
      line: number
    }
  | { kind: 'load'; template: Expression }
  | { kind: 'break' | 'continue'; line: number }

export interface ForStatement {
  kind: 'for'
  target: Target
  iterable: Expression
  test?: Expression
  recursive: boolean
  /** Whether the body has a macro or a call block, which keeps its scope. */
  definesMacros: boolean
  body: Statement[]
  otherwise: Statement[]
  line: number
}

/** Yields the child nodes of a node. */
export function* childrenOf(node: object): Generator<object> {
  for (const value of Object.values(node)) {
    if (Array.isArray(value))
      yield* value.filter((item) => typeof item === 'object' && item !== null)
    else if (typeof value === 'object' && value !== null) yield value
  }
}
