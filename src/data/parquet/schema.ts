// The schema of a Parquet file: a tree of groups, whose leaves are the columns with values.
import { Damage } from './damage.ts'
import type { Struct } from './thrift.ts'

export const REQUIRED = 0
export const REPEATED = 2

export interface SchemaNode {
  readonly name: string
  /** 0: required, 1: optional, 2: repeated. */
  readonly repetition: number
  /** The definition level at which the node is present. */
  readonly definition: number
  /** The number of repeated nodes from the root to this one. */
  readonly level: number
  readonly children: readonly SchemaNode[]
  /** Numbers of the leaves at and below this node. */
  readonly leaves: readonly number[]
  /** Physical type (see `values.ts`); undefined for groups. */
  readonly type: number | undefined
  /** Number of bytes of a value of fixed length. */
  readonly typeLength: number
  /** Meaning of the values: `convertedType` in older files, `logicalType` in newer ones. */
  readonly convertedType: number | undefined
  readonly logicalType: Struct
  /** Number of digits after the decimal point of a decimal. */
  readonly scale: number
}

/** Builds the tree from its elements in depth-first order. @throws Damage for inconsistent counts */
export function schemaOf(elements: readonly Struct[]): SchemaNode {
  let next = 0
  let leaf = 0
  const read = (definition: number, level: number, depth: number): SchemaNode => {
    if (depth > MOST_DEPTH) throw new Damage(`columns are nested ${depth} levels deep`)
    const element = elements[next++]
    if (element === undefined) throw new Damage('the schema ends early')
    const repetition = depth === 0 ? REQUIRED : element.int(3, 'the repetition of a column')
    if (repetition > REPEATED) throw new Damage(`the repetition of a column is ${repetition}`)
    const own = definition + (repetition === REQUIRED ? 0 : 1)
    const repeated = level + (repetition === REPEATED ? 1 : 0)
    const count = element.optionalInt(5, 'the number of children') ?? 0
    if (count < 0 || count > elements.length) throw new Damage(`a column has ${count} children`)
    const name = depth === 0 ? '' : element.text(4, 'the name of a column')
    const children = Array.from({ length: count }, () => read(own, repeated, depth + 1))
    const isLeaf = count === 0 && depth > 0
    return {
      name,
      repetition,
      definition: own,
      level: repeated,
      children,
      leaves: isLeaf ? [leaf++] : children.flatMap(({ leaves }) => leaves),
      type: isLeaf ? element.int(1, `the type of ${name}`) : undefined,
      typeLength: element.optionalInt(2, 'the length of a type') ?? 0,
      convertedType: element.optionalInt(6, 'the converted type'),
      logicalType: element.optionalStruct(10),
      scale: element.optionalInt(7, 'the scale of a decimal') ?? 0,
    }
  }
  const root = read(0, 0, 0)
  if (next !== elements.length)
    throw new Damage(`the schema has ${elements.length - next} elements too many`)
  return root
}

/** The leaves, in the order of their numbers. */
export const leavesOf = (node: SchemaNode): SchemaNode[] =>
  node.children.length === 0 ? [node] : node.children.flatMap(leavesOf)

const MOST_DEPTH = 30
