// Types of the kernel table (kernel-schemas.ts): operands with a dtype and a shape pattern, and typed attributes.
import type { DType } from '../graph/dtype.ts'
import type { BlockFormat } from '../util/block-formats.ts'
import { type Cost, traffic } from './cost.ts'
import type { Expression, Operand } from './schedule.ts'

/**
 * Names of dimensions, separated by spaces. A name has the same size in all operands of a call; the name of an integer
 * attribute is replaced by its value. A leading `...` matches any number of leading dimensions, which are also equal in all
 * operands. `1` alone is one element of any rank; `*` alone is any shape.
 */
type Pattern = string

/** A pattern that depends on an integer attribute. */
interface PatternByAttribute {
  readonly attribute: string
  readonly zero: Pattern
  readonly positive: Pattern
}

export type OperandShape = Pattern | PatternByAttribute

/** A required operand, an optional one, or any number of operands. */
type Arity = 'required' | 'optional' | 'list'

export interface OperandSchema<A extends Arity = Arity> {
  readonly arity: A
  /** A dtype, the dtype of an earlier operand, or null for any. */
  readonly dtype: DType | { readonly of: string } | null
  readonly shape: OperandShape
  /** The elements are contiguous, in row-major order. */
  readonly adjacent?: boolean
  /** Minimum number of elements. */
  readonly least?: number
  /** For an optional operand: it is present if and only if the named operand is. */
  readonly presentWith?: string
  /**
   * For an output: the inputs whose memory it may overwrite, if the view is exactly the same. The kernel reads each
   * element before it writes it. All other outputs overlap neither inputs nor each other.
   */
  readonly mayOverwrite?: string | typeof ANY_INPUT
}

export const ANY_INPUT = '*'

export type AttributeSchema =
  | { readonly type: 'real'; readonly min?: number; readonly max?: number }
  /** `max` and `divides` may name dimensions. The value 0 is not tested for divisibility. */
  | {
      readonly type: 'integer'
      readonly min: number
      readonly max: number | string
      readonly divides?: string
    }
  | { readonly type: 'flag' }
  | { readonly type: 'choice'; readonly of: readonly string[] }
  /** The number of an axis of the operand. */
  | { readonly type: 'axis'; readonly of: string }
  | { readonly type: 'format' }
  /** `length` is a number, or a name for a length shared by all lists; then `longest` limits it. */
  | {
      readonly type: 'integers'
      readonly length: number | string
      readonly longest: number
      readonly min: number
      readonly max: number
    }
  /** The expression of an element-wise or reducing kernel; always the last attribute. */
  | { readonly type: 'program' }

export interface KernelSchema<
  I extends Operands = Operands,
  O extends Operands = Operands,
  A extends Attributes = Attributes,
> {
  readonly inputs: I
  readonly outputs: O
  readonly attributes: A
  /** Whether kernels/cpp/validate*.cc has rules that this table cannot express. */
  readonly handChecked: boolean
  /** The cost of a call; null if it depends on run-time values. */
  cost(call: Arguments<I, O, A>): Cost | null
}

type Operands = Readonly<Record<string, OperandSchema>>
type Attributes = Readonly<Record<string, AttributeSchema>>

/** The operands and attributes of a call, by name. */
export interface Arguments<I extends Operands, O extends Operands, A extends Attributes> {
  readonly inputs: { readonly [K in keyof I]: OperandOf<I[K]> }
  readonly outputs: { readonly [K in keyof O]: OperandOf<O[K]> }
  readonly attributes: { readonly [K in keyof A]: AttributeOf<A[K]> }
}

interface OperandTypes {
  required: Operand
  optional: Operand | null
  list: readonly Operand[]
}

type OperandOf<S extends OperandSchema> = OperandTypes[S['arity']]

interface AttributeTypes {
  real: number
  integer: number
  axis: number
  flag: boolean
  format: BlockFormat
  integers: readonly number[]
  program: Expression
}

type AttributeOf<S extends AttributeSchema> = S extends {
  type: 'choice'
  of: readonly (infer V)[]
}
  ? V
  : S extends { type: keyof AttributeTypes }
    ? AttributeTypes[S['type']]
    : never

/** One row of the table. Inputs, outputs and attributes are listed in the order in which the kernel receives them. */
export function kernel<
  const I extends Operands,
  const O extends Operands,
  const A extends Attributes = Record<never, never>,
>(row: {
  inputs: I
  outputs: O
  attributes?: A
  handChecked?: boolean
  cost?: (call: Arguments<I, O, A>) => Cost | null
}): KernelSchema<I, O, A> {
  const { inputs, outputs, attributes = {} as A, handChecked = false, cost = traffic } = row
  return { inputs, outputs, attributes, handChecked, cost }
}

type Required = OperandSchema<'required'>

const typed =
  (dtype: OperandSchema['dtype']) =>
  (shape: OperandShape): Required => ({ arity: 'required', dtype, shape })

export const f32 = typed('f32')
export const i32 = typed('i32')
export const u32 = typed('u32')
export const u8 = typed('u8')
export const bool = typed('bool')
export const anyType = typed(null)

/** The dtype of an earlier operand. */
export const typeOf = (name: string, shape: OperandShape): Required => typed({ of: name })(shape)

/** A pattern for the attribute value 0, and one for all other values. */
export const byAttribute = (
  attribute: string,
  zero: Pattern,
  positive: Pattern,
): PatternByAttribute => ({ attribute, zero, positive })

export const optional = (schema: Required, presentWith?: string): OperandSchema<'optional'> => ({
  ...schema,
  arity: 'optional',
  presentWith,
})

export const list = (schema: Required): OperandSchema<'list'> => ({ ...schema, arity: 'list' })

export const adjacent = (schema: Required, least = 0): Required => ({
  ...schema,
  adjacent: true,
  least,
})

export const overwrites = <A extends Arity>(
  schema: OperandSchema<A>,
  mayOverwrite: string,
): OperandSchema<A> => ({ ...schema, mayOverwrite })

const INT32 = 2 ** 31 - 1

export const real = { type: 'real' } as const
export const fraction = { type: 'real', min: 0, max: 1 } as const
export const flag = { type: 'flag' } as const
export const format = { type: 'format' } as const
export const program = { type: 'program' } as const

export const integer = <const Max extends number | string>(
  min = 0,
  max: Max | number = INT32,
  divides?: string,
) => ({ type: 'integer', min, max, divides }) as const

export const choice = <const V extends readonly string[]>(...of: V) =>
  ({ type: 'choice', of }) as const

export const axisOf = (of: string) => ({ type: 'axis', of }) as const

/** A list of integers. Its length is a number, or a name (at most `longest` then). */
export const integers = (
  length: number | string,
  { min = 0, max = INT32, longest = typeof length === 'number' ? length : 8 } = {},
) => ({ type: 'integers', length, longest, min, max }) as const
