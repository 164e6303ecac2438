// Docstrings: which exported symbols and members have none, and those of configuration keys.
import {
  Comment,
  type Context,
  type DeclarationReflection,
  ReflectionKind,
  type SomeType,
  type SourceReference,
} from 'typedoc'

/** The symbols and members without a docstring, with their places: `src/nn/linear.ts:25 Linear.weight`. */
export function undocumented(symbols: readonly DeclarationReflection[]): string[] {
  return [...new Set(symbols.flatMap((symbol) => missingIn(symbol, symbol.name)))].toSorted()
}

function missingIn(symbol: DeclarationReflection, name: string): string[] {
  if (symbol.kind === ReflectionKind.Reference) return []
  const own = isDocumented(symbol) ? [] : [`${placeOf(symbol)} ${name}`]
  return [...own, ...membersOf(symbol).flatMap((it) => missingIn(it, `${name}.${it.name}`))]
}

/** The members that its page shows, except those of a mapped type, which have no place in the sources. */
function membersOf({
  kind,
  flags,
  type,
  children = [],
}: DeclarationReflection): readonly DeclarationReflection[] {
  if (kind & WITHOUT_MEMBERS) return []
  const members = [...children, ...membersOfType(type)]
  return members.filter(
    (it) =>
      !it.inheritedFrom?.reflection &&
      (flags.isAbstract || !it.flags.isProtected) &&
      sourceOf(it) !== undefined,
  )
}

function membersOfType(type?: SomeType): readonly DeclarationReflection[] {
  if (type?.type === 'intersection') return type.types.flatMap(membersOfType)
  return (type?.type === 'reflection' && type.declaration.children) || []
}

const WITHOUT_MEMBERS = ReflectionKind.Property | ReflectionKind.Accessor | ReflectionKind.Method

/** A constructor without parameters needs no docstring. */
function isDocumented({
  kind,
  comment,
  type,
  getSignature,
  setSignature,
  signatures = [],
}: DeclarationReflection): boolean {
  const ofType = type?.type === 'reflection' ? (type.declaration.signatures ?? []) : []
  const parameters = signatures.flatMap((it) => it.parameters ?? [])
  if (kind === ReflectionKind.Constructor && parameters.length === 0) return true
  return [{ comment }, getSignature, setSignature, ...signatures, ...ofType, ...parameters].some(
    (it) => it?.comment?.hasVisibleComponent(),
  )
}

function placeOf(reflection: DeclarationReflection): string {
  const { fileName, line } = sourceOf(reflection) ?? {}
  return `${fileName}:${line}`
}

function sourceOf({
  sources,
  signatures,
  getSignature,
}: DeclarationReflection): SourceReference | undefined {
  return (sources ?? signatures?.[0].sources ?? getSignature?.sources)?.[0]
}

/** Gives a key of a schema its description, `.describe('random seed')`, as its docstring: "Random seed." */
export function describeKey(context: Context, reflection: DeclarationReflection): void {
  const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? []
  const [, , text] = DESCRIPTION.exec(declaration?.getText() ?? '') ?? []
  if (!text || reflection.comment || reflection.kind !== ReflectionKind.Property) return
  reflection.comment = new Comment([
    { kind: 'text', text: `${text[0].toUpperCase()}${text.slice(1)}.` },
  ])
}

/** A call of `describe` at the end of an expression. */
const DESCRIPTION = /\.describe\(\s*(['"])(.*)\1,?\s*\)$/
