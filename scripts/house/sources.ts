// The source files of a checkout, parsed.
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import ts from 'typescript'

export interface Source {
  /** Path within the checkout, with slashes: src/nn/linear.ts. */
  path: string
  text: string
  tree: ts.SourceFile
}

/** All TypeScript files of a folder, sorted by path. */
export function readSources(root: string, folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => `${folder}/${file.split(sep).join('/')}`)
    .sort()
    .map((path) => parse(path, readFileSync(join(root, path), 'utf8')))
}

export function parse(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) }
}

/** Calls `visit` with each node of the tree. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** The first and last line of a node, from 0, without the comment above it. */
export function linesOf({ tree }: Source, node: ts.Node): [first: number, last: number] {
  const line = (place: number): number => tree.getLineAndCharacterOfPosition(place).line
  return [line(node.getStart(tree)), line(node.end)]
}

export const isExported = (node: ts.Node): boolean =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false)
