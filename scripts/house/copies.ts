// Finds code of decoder families that is repeated in other families.
import ts from 'typescript'
import { linesOf, type Source, walk } from './sources.ts'

export interface Copies {
  /** Code lines of bases and heads in all decoder families. */
  lines: number
  /** Lines that also occur in another family. */
  copied: number
  families: { path: string; lines: number; copied: string[] }[]
}

/** Compares the code of decoder families for their bases and heads: model classes, and functions of a definition. */
export function copiesIn(sources: readonly Source[]): Copies {
  const decoders = sources.filter(isDecoderFamily)
  const code = decoders.map((source) => ({ path: source.path, lines: modelCode(source) }))
  const families = code.map(({ path, lines }) => {
    const others = new Set(code.flatMap((other) => (other.path === path ? [] : other.lines)))
    return { path, lines: lines.length, copied: lines.filter((line) => others.has(line)) }
  })
  const lines = families.reduce((sum, family) => sum + family.lines, 0)
  const copied = families.reduce((sum, family) => sum + family.copied.length, 0)
  return { lines, copied, families }
}

const isDecoderFamily = ({ path, text }: Source): boolean =>
  /^src\/models\/text\/[^/]+\.ts$/.test(path) && /'causal-lm'|\blastTokenClassifier\(/.test(text)

/** Trimmed lines of code, without comments and without lines of punctuation or a single word. */
function modelCode(source: Source): string[] {
  const all = source.text.split('\n')
  return [...modelClasses(source), ...definedFunctions(source)]
    .flatMap((node) => {
      const [first, last] = linesOf(source, node)
      return all.slice(first, last + 1)
    })
    .map((line) => line.trim())
    .filter((line) => !/^(\/\/|\/\*|\*)/.test(line))
    .filter((line) => /\w\W+\w/.test(line))
}

/** Classes with model names (`modelType`, `base`, `head`), classes created by a head, and their subclasses. */
function modelClasses({ tree }: Source): ts.ClassDeclaration[] {
  const names = new Set<string>()
  const found: ts.ClassDeclaration[] = []
  walk(tree, (node) => {
    if (!ts.isClassDeclaration(node)) return
    const [extended] = node.heritageClauses?.flatMap(({ types }) => types) ?? []
    const made = extended !== undefined && ts.isCallExpression(extended.expression)
    const inherits = extended !== undefined && names.has(extended.expression.getText(tree))
    if (!made && !inherits && !node.members.some(namesModel)) return
    found.push(node)
    if (node.name) names.add(node.name.text)
  })
  return found
}

/** Functions in the object that describes a family, from which its bases and heads are created. */
function definedFunctions({ tree }: Source): ts.Node[] {
  const found: ts.Node[] = []
  for (const statement of tree.statements) {
    if (!ts.isVariableStatement(statement)) continue
    const describesFamily = /^const family\b/.test(statement.getText(tree))
    if (describesFamily) walk(statement, (node) => isOutermostFunction(node) && found.push(node))
  }
  return found
}

function isOutermostFunction(node: ts.Node): boolean {
  const isFunction = (some: ts.Node): boolean =>
    ts.isArrowFunction(some) || ts.isMethodDeclaration(some)
  return isFunction(node) && ts.findAncestor(node.parent, isFunction) === undefined
}

const namesModel = (member: ts.ClassElement): boolean =>
  ts.isPropertyDeclaration(member) &&
  ts.isIdentifier(member.name) &&
  ['modelType', 'base', 'head', 'architectures'].includes(member.name.text)
