// Which class documents an inherited member. TypeDoc knows this for plain inheritance; here it also works for classes that
// a function makes, such as models, and for base classes that are not exported, such as those of Tensor.
import type { Comment, DeclarationReflection } from 'typedoc'
import { isClass, sourceOf } from './pages.ts'

/** The class on whose page a member is, if it is not the page of the class itself. */
export type OwnerOf = (
  symbol: DeclarationReflection,
  member: DeclarationReflection,
) => DeclarationReflection | undefined

interface Holder {
  symbol: DeclarationReflection
  declares: boolean
}

export function ownersIn(symbols: readonly DeclarationReflection[]): OwnerOf {
  const holders = new Map<string, Holder[]>()
  for (const symbol of symbols.filter(isClass))
    for (const member of symbol.children ?? []) {
      const place = placeOf(member)
      const holder = { symbol, declares: member.sources?.[0].fileName === sourceOf(symbol) }
      if (place) holders.set(place, [...(holders.get(place) ?? []), holder])
    }
  const owners = new Map([...holders].map(([place, list]) => [place, ownerAmong(list)]))
  return (symbol, member) => {
    const owner = owners.get(placeOf(member)) ?? symbol
    return implementedBy(member) ?? (owner === symbol ? undefined : owner)
  }
}

/** The interface that documents a member. TypeDoc copies its comment to a member that has none. */
function implementedBy(member: DeclarationReflection): DeclarationReflection | undefined {
  const [signature] = member.signatures ?? []
  const base = (signature ?? member).implementationOf?.reflection
  const isCopy = base && commentText(base.comment) === commentText((signature ?? member).comment)
  const method = signature ? base?.parent : base
  return isCopy ? (method?.parent as DeclarationReflection) : undefined
}

export const commentText = (comment?: Comment): string =>
  comment?.summary.map(({ text }) => text).join('') ?? ''

/** The class that declares a member, or else the base of the other classes; undefined if there is none. */
function ownerAmong(holders: readonly Holder[]): DeclarationReflection | undefined {
  const declaring = holders.find(({ declares }) => declares)
  if (declaring) return declaring.symbol
  const symbols = holders.map(({ symbol }) => symbol)
  const roots = symbols.filter((symbol) => !basesOf(symbol).some((base) => symbols.includes(base)))
  return roots.length === 1 ? roots[0] : undefined
}

const basesOf = ({ extendedTypes = [] }: DeclarationReflection): DeclarationReflection[] =>
  extendedTypes.flatMap((type) => {
    const base = type.type === 'reference' ? (type.reflection as DeclarationReflection) : undefined
    return base ? [base, ...basesOf(base)] : []
  })

/** Where a member is declared: file, line and column. */
function placeOf({ sources, signatures, getSignature }: DeclarationReflection): string {
  const [source] = sources ?? signatures?.[0].sources ?? getSignature?.sources ?? []
  return source ? `${source.fileName}:${source.line}:${source.character}` : ''
}
