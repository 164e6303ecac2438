// Finds uninformative names: exports, types, fields and parameters should use the noun of the field.
import ts from 'typescript'
import { isExported, type Source, walk } from './sources.ts'

const banned: ReadonlySet<string> = new Set(
  'found few one own pace papers parts seen subject supply told turns unborn understood wanted whole'.split(
    ' ',
  ),
)

export interface Place {
  path: string
  line: number
  text: string
}

/** Declarations with a banned name, in upper or lower case. Local variables and functions are exempt. */
export function bannedNames(sources: readonly Source[]): Place[] {
  return sources.flatMap((source) => {
    const found: Place[] = []
    walk(source.tree, (node) => {
      for (const name of declaredNames(node))
        if (banned.has(name.text.toLowerCase())) found.push(placeOf(source, name))
    })
    return found
  })
}

function placeOf({ path, tree }: Source, name: ts.Identifier): Place {
  const { line } = tree.getLineAndCharacterOfPosition(name.getStart(tree))
  return { path, line: line + 1, text: name.text }
}

function declaredNames(node: ts.Node): ts.Identifier[] {
  if (ts.isParameter(node)) return boundNames(node.name)
  if (ts.isVariableStatement(node))
    return isExported(node)
      ? node.declarationList.declarations.flatMap(({ name }) => boundNames(name))
      : []
  if (ts.isFunctionDeclaration(node)) return isExported(node) && node.name ? [node.name] : []
  if (isPrintedKey(node)) return []
  return isType(node) || isField(node) || ts.isExportSpecifier(node) ? identifier(node.name) : []
}

/** Keys of written JSON are exempt, because file formats do not change. */
const isPrintedKey = (node: ts.Node): boolean =>
  ts.isPropertyAssignment(node) &&
  ts.isCallExpression(node.parent.parent) &&
  node.parent.parent.expression.getText() === 'JSON.stringify'

const isType = (node: ts.Node) =>
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isTypeParameterDeclaration(node)

const isField = (node: ts.Node) =>
  ts.isPropertyDeclaration(node) ||
  ts.isPropertySignature(node) ||
  ts.isPropertyAssignment(node) ||
  ts.isShorthandPropertyAssignment(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isMethodSignature(node) ||
  ts.isGetAccessor(node) ||
  ts.isSetAccessor(node)

const identifier = (name: ts.Node | undefined): ts.Identifier[] =>
  name && ts.isIdentifier(name) ? [name] : []

/** The names of a parameter, including those of a pattern: `({ parts }) => …`. */
function boundNames(name: ts.BindingName): ts.Identifier[] {
  if (ts.isIdentifier(name)) return [name]
  return name.elements.flatMap((element) =>
    ts.isBindingElement(element) ? boundNames(element.name) : [],
  )
}
