// Assembles rows from the columns of a row group (Melnik et al., 2010, "Dremel", section 4.3).
import type { Column } from './column.ts'
import { type Convert, convertOf } from './convert.ts'
import { Damage } from './damage.ts'
import { REPEATED, REQUIRED, type SchemaNode } from './schema.ts'
import type { Values } from './values.ts'

/** Yields the rows of a row group. Columns are in the order of the schema's leaves. @throws Damage */
export function* rowsOf(
  schema: SchemaNode,
  leaves: readonly SchemaNode[],
  columns: readonly Column[],
  count: number,
): Generator<Record<string, unknown>> {
  const cursors = columns.map((column, i) => new Cursor(column, leaves[i]))
  const assembly = new Assembly(cursors)
  for (let row = 0; row < count; row++) {
    for (const cursor of cursors)
      if (cursor.repetition !== 0)
        throw new Damage('the columns have different numbers of values in a row')
    yield assembly.group(schema)
  }
  if (cursors.some((cursor) => !cursor.isDone)) throw new Damage('a column has too many rows')
}

/** Reads the levels and values of a column sequentially. */
class Cursor {
  private readonly column: Column
  private readonly definition: number
  private readonly convert: Convert
  private readonly converted: Map<Values, unknown[]> = new Map()
  private at = 0
  private page = 0
  private inPage = 0

  constructor(column: Column, leaf: SchemaNode) {
    this.column = column
    this.definition = leaf.definition
    this.convert = convertOf(leaf)
  }

  get isDone(): boolean {
    return this.at >= this.column.count
  }

  /** The repetition level of the next value: 0 starts a row. -1 at the end. */
  get repetition(): number {
    if (this.isDone) return -1
    return this.column.repetitions?.[this.at] ?? 0
  }

  /** Whether the next value reaches this definition level. */
  reaches(definition: number): boolean {
    if (this.isDone) throw new Damage('a column has too few values')
    return this.column.definitions === null || this.column.definitions[this.at] >= definition
  }

  /** Skips a null. */
  skip(): void {
    this.at++
  }

  take(): unknown {
    if (!this.reaches(this.definition)) throw new Damage('a column lacks a required value')
    this.at++
    while (this.inPage >= this.column.pages[this.page].length) {
      this.page++
      this.inPage = 0
    }
    const index = this.inPage++
    const dictionary = this.column.dictionaries[this.page]
    const value = this.column.pages[this.page].at(index)
    if (value === undefined) throw new Damage('a page has too few values')
    return dictionary ? this.entry(dictionary, Number(value)) : this.convert(value)
  }

  /** Converts each value of a dictionary once. */
  private entry(dictionary: Values, index: number): unknown {
    const entries = this.converted.get(dictionary) ?? []
    this.converted.set(dictionary, entries)
    if (!(index in entries)) {
      const value = dictionary.at(index)
      if (value === undefined) throw new Damage('a dictionary has too few values')
      entries[index] = this.convert(value)
    }
    return entries[index]
  }
}

class Assembly {
  private readonly cursors: readonly Cursor[]

  constructor(cursors: readonly Cursor[]) {
    this.cursors = cursors
  }

  /** The value of a node. An absent node is null, or an empty list. */
  private node(node: SchemaNode): unknown {
    if (node.repetition === REPEATED) return this.items(node, () => this.content(node))
    return this.isPresent(node) ? this.content(node) : null
  }

  /** Reads the items of a repeated node. */
  private items<T>(node: SchemaNode, read: () => T): T[] {
    const items: T[] = []
    if (!this.isPresent(node)) return items
    do items.push(read())
    while (this.continues(node))
    return items
  }

  /** Whether a node is present. An absent node is skipped. */
  private isPresent({ repetition, definition, leaves }: SchemaNode): boolean {
    if (repetition === REQUIRED || this.cursors[leaves[0]].reaches(definition)) return true
    for (const leaf of leaves) {
      if (this.cursors[leaf].reaches(definition))
        throw new Damage('a column has a value where another column has none')
      this.cursors[leaf].skip()
    }
    return false
  }

  /** Whether the list at this level continues. All columns must agree. */
  private continues({ leaves, level }: SchemaNode): boolean {
    const count = leaves.filter((leaf) => this.cursors[leaf].repetition === level).length
    if (count === 0 || count === leaves.length) return count > 0
    throw new Damage('the lists of two columns have different lengths')
  }

  private content(node: SchemaNode): unknown {
    if (node.children.length === 0) return this.cursors[node.leaves[0]].take()
    if (isList(node)) return this.list(node.children[0])
    return isMap(node) ? this.map(node.children[0]) : this.group(node)
  }

  group({ children }: SchemaNode): Record<string, unknown> {
    const values: Record<string, unknown> = {}
    for (const child of children) values[child.name] = this.node(child) // `__proto__` was refused
    return values
  }

  /** The items of a list, without the group around each. */
  private list(repeated: SchemaNode): unknown[] {
    const [child] = repeated.children
    const isWrapped = repeated.children.length === 1 && !isList(repeated)
    return this.items(repeated, () => (isWrapped ? this.node(child) : this.content(repeated)))
  }

  private map(repeated: SchemaNode): Record<string, unknown> {
    const [key, value] = repeated.children
    return Object.fromEntries(
      this.items(repeated, () => [String(this.node(key)), this.node(value)]),
    )
  }
}

const isList = ({ convertedType, logicalType, children }: SchemaNode): boolean =>
  (convertedType === 3 || logicalType.has(3)) &&
  children.length === 1 &&
  children[0].repetition === REPEATED

const isMap = ({ convertedType, logicalType, children }: SchemaNode): boolean =>
  (convertedType === 1 || convertedType === 2 || logicalType.has(2)) &&
  children.length === 1 &&
  children[0].repetition === REPEATED &&
  children[0].children.length === 2
