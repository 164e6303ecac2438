// The code of docs/coming-from/pytorch.ts as programs: with imports, and with the value of their last line.
import * as files from 'node:fs/promises'
import ts from 'typescript'
import * as data from '../../src/data/index.ts'
import * as generate from '../../src/generate/index.ts'
import * as heed from '../../src/index.ts'
import * as io from '../../src/io/index.ts'
import * as models from '../../src/models/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import * as pipelines from '../../src/pipelines/index.ts'
import * as tokenizers from '../../src/tokenizers/index.ts'
import * as train from '../../src/train/index.ts'
import { walk } from '../house/sources.ts'

/** In the order in which a name is looked up. */
const modules: Record<string, object> = {
  heed,
  'heed/nn': nn,
  'heed/optim': optim,
  'heed/models': models,
  'heed/tokenizers': tokenizers,
  'heed/data': data,
  'heed/generate': generate,
  'heed/pipelines': pipelines,
  'heed/train': train,
  'heed/io': io,
  'node:fs/promises': files,
}

/** The names of Heed that this code uses, by the module that has them. */
function namesIn(code: string): Map<string, string[]> {
  const tree = parse(code)
  const used = new Set<string>()
  const own = new Set<string>()
  walk(tree, (node) => {
    if (!ts.isIdentifier(node)) return
    const { parent } = node
    const declares =
      (ts.isVariableDeclaration(parent) || ts.isBindingElement(parent) || ts.isParameter(parent) || ts.isClassDeclaration(parent) || ts.isFunctionDeclaration(parent)) && // biome-ignore format: one line
      parent.name === node
    if (declares) own.add(node.text)
    else if (!isMemberName(node)) used.add(node.text)
  })
  const found = new Map<string, string[]>()
  for (const name of [...used].filter((name) => !own.has(name)).sort()) {
    const place = Object.keys(modules).find((place) => name in modules[place])
    if (place) found.set(place, [...(found.get(place) ?? []), name])
  }
  return found
}

export const importsFor = (code: string): string[] =>
  Object.keys(modules).flatMap((place) => {
    const names = namesIn(code).get(place)
    return names ? [`import { ${names.join(', ')} } from '${place}'`] : []
  })

/** The values of these names. */
export function valuesOf(code: string): Record<string, unknown> {
  const entries = [...namesIn(code)].flatMap(([place, names]) =>
    names.map((name) => [name, Reflect.get(modules[place], name)] as const),
  )
  return Object.fromEntries(entries)
}

/** The code with `return` before its last line, if that is an expression. */
export function withReturn(code: string): string {
  const tree = parse(code)
  const last = tree.statements.at(-1)
  if (!last || !ts.isExpressionStatement(last)) return code
  const start = last.getStart(tree)
  return `${code.slice(0, start)}return (${last.expression.getText(tree)})`
}

/** Whether a name exists anywhere: as an export, in F, or as a method. */
export function exists(name: string): boolean {
  const { Tensor, F } = heed
  const places = [...Object.values(modules), F, Tensor.prototype, nn.Module.prototype, nn.init]
  return places.some((place) => name in place)
}

const parse = (code: string): ts.SourceFile =>
  ts.createSourceFile('row.ts', code, ts.ScriptTarget.Latest, true)

/** `b` in `a.b`, and the name of a property or method. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  return (
    (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent)) && // biome-ignore format: one line
    parent.name === node
  )
}
