// Sizes of files and functions, documented exports, casts.
import ts from 'typescript'
import { isExported, linesOf, type Source, walk } from './sources.ts'

export interface Sizes {
  count: number
  median: number
  /** The 90th percentile. */
  p90: number
  largest: { name: string; lines: number }
}

export const fileSizes = (sources: readonly Source[]): Sizes =>
  sizesOf(sources.map(({ path, text }) => ({ name: path, lines: text.split('\n').length - 1 })))

/** Named functions, methods and accessors, including functions that are assigned to variables or fields. */
export function functionSizes(sources: readonly Source[]): Sizes {
  const sizes: Sizes['largest'][] = []
  for (const source of sources)
    walk(source.tree, (node) => {
      if (!isNamedFunction(node)) return
      const [first, last] = linesOf(source, node)
      sizes.push({ name: `${source.path}:${first + 1}`, lines: last - first + 1 })
    })
  return sizesOf(sizes)
}

/** The number of exported functions and classes, and the number with a doc comment. */
export function documentedExports(sources: readonly Source[]): { all: number; documented: number } {
  let [all, documented] = [0, 0]
  for (const { tree } of sources)
    for (const node of tree.statements) {
      if (!isExported(node)) continue
      if (!ts.isFunctionDeclaration(node) && !ts.isClassDeclaration(node)) continue
      all++
      if (ts.getJSDocCommentsAndTags(node).length > 0) documented++
    }
  return { all, documented }
}

export interface Casts {
  /** All `x as T`, except `as const`. */
  casts: number
  /** The number of `as unknown` and `as never` among these, which allow anything. */
  unchecked: number
  any: number
  /** `x!` */
  nonNull: number
}

export function castsIn(sources: readonly Source[]): Casts {
  const found = { casts: 0, unchecked: 0, any: 0, nonNull: 0 }
  for (const { tree } of sources)
    walk(tree, (node) => {
      if (ts.isAsExpression(node) && node.type.getText(tree) !== 'const') {
        found.casts++
        const { kind } = node.type
        const { UnknownKeyword, NeverKeyword } = ts.SyntaxKind
        if (kind === UnknownKeyword || kind === NeverKeyword) found.unchecked++
      }
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.any++
      if (ts.isNonNullExpression(node)) found.nonNull++
    })
  return found
}

function isNamedFunction(node: ts.Node): boolean {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) return node.body !== undefined
  if (ts.isGetAccessor(node) || ts.isSetAccessor(node) || ts.isConstructorDeclaration(node))
    return true
  const held = ts.isArrowFunction(node) || ts.isFunctionExpression(node)
  const { parent } = node
  return held && (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent))
}

function sizesOf(all: Sizes['largest'][]): Sizes {
  const sorted = all.toSorted((a, b) => a.lines - b.lines)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))].lines
  return {
    count: all.length,
    median: at(0.5),
    p90: at(0.9),
    largest: sorted[sorted.length - 1],
  }
}
