// The Markdown of a page of the API reference.
import {
  type Comment,
  type CommentDisplayPart,
  type DeclarationReflection,
  ReflectionKind,
  type SignatureReflection,
  type SomeType,
} from 'typedoc'
import { commentText, type OwnerOf } from './owners.ts'
import { type ApiPage, isClass, isNamespace, sourceOf } from './pages.ts'
import { genericsText, memberText, signatureText, typeOf, typeText, unionText } from './types.ts'

const REPOSITORY = 'https://github.com/heed-ts/heed/blob/main/'

/** The link to a symbol, `F.crossEntropy` or `Module.stateDict`, as seen from a subpath; undefined if there is none. */
export type Resolve = (name: string, subpath: string) => string | undefined

export function pageText(page: ApiPage, resolve: Resolve, ownerOf: OwnerOf): string {
  return new PageWriter(page, resolve, ownerOf).text()
}

/** The anchor of a symbol of a page, or of a member of it. Names of symbols come before those of members. */
export function anchorOf(
  { main, symbols }: ApiPage,
  symbol: DeclarationReflection,
  member?: string,
): string {
  if (member === undefined) return symbol === main ? '' : symbol.name
  const isTaken = symbols.some(({ name }) => name === member)
  return symbol === main && !isTaken ? member : `${symbol.name}-${member}`
}

/** The sections of an overview. */
const SECTIONS: readonly (readonly [title: string, kinds: ReflectionKind])[] = [
  ['Functions', ReflectionKind.Function],
  ['Values', ReflectionKind.Variable],
  ['Types', ReflectionKind.Interface | ReflectionKind.TypeAlias],
]

class PageWriter {
  private readonly page: ApiPage
  private readonly resolve: Resolve
  private readonly ownerOf: OwnerOf

  constructor(page: ApiPage, resolve: Resolve, ownerOf: OwnerOf) {
    this.page = page
    this.resolve = resolve
    this.ownerOf = ownerOf
  }

  text(): string {
    const { title, main, symbols, contents } = this.page
    const others = symbols.filter((symbol) => symbol !== main)
    const blocks = contents ? this.overview(contents) : others.flatMap((it) => this.symbol(it, 2))
    return `${[`# ${title} {#page}`, ...(main ? this.body(main, 2) : []), ...blocks, ...this.footer()].join('\n\n')}\n`
  }

  /** The page of a subpath: what other pages have, then functions and types. */
  private overview(contents: readonly DeclarationReflection[]): string[] {
    const { subpath, symbols, module } = this.page
    const rows = sorted(contents).map((symbol) => {
      const link = this.resolve(symbol.name, subpath)
      const summary = (symbol.comment ?? symbol.signatures?.[0].comment)?.summary
      return `| [\`${symbol.name}\`](${link}) | ${firstSentence(this.inline(summary)).replaceAll('|', '\\|')} |`
    })
    const table = [`## Classes`, `| name | description |\n|---|---|\n${rows.join('\n')}`]
    const sections = SECTIONS.flatMap(([title, kinds]) => {
      const chosen = sorted(symbols.filter(({ kind }) => kind & kinds))
      return chosen.length > 0 ? [`## ${title}`, ...chosen.flatMap((it) => this.symbol(it, 3))] : []
    })
    return [...this.comment(module?.comment), ...(rows.length > 0 ? table : []), ...sections]
  }

  private footer(): string[] {
    const paths = [...new Set(this.page.symbols.map(sourceOf))].filter(Boolean)
    return paths.length === 1 ? [`Source: [${paths[0]}](${REPOSITORY}${paths[0]})`] : []
  }

  private symbol(symbol: DeclarationReflection, level: number): string[] {
    const call = symbol.kind === ReflectionKind.Function ? '()' : ''
    const heading = `${'#'.repeat(level)} ${symbol.name}${call} {#${anchorOf(this.page, symbol)}}`
    return [heading, ...this.body(symbol, level + 1)]
  }

  /** Everything about a symbol below its heading. */
  private body(symbol: DeclarationReflection, level: number): string[] {
    if (symbol.kind === ReflectionKind.Reference) {
      const link = this.resolve(symbol.name, this.page.subpath)
      return [`See [\`${symbol.name}\`](${link}).`]
    }
    if (isNamespace(symbol)) return this.namespace(symbol, level)
    if (symbol.kind === ReflectionKind.Function)
      return this.signatures(symbol.signatures ?? [], symbol.name)
    if (isClass(symbol)) return this.class(symbol, level)
    return [
      code(declarationText(symbol) + callsOf(symbol)),
      ...this.comment(symbol.comment),
      ...this.table(propertiesOf(symbol)),
    ]
  }

  private namespace(symbol: DeclarationReflection, level: number): string[] {
    const line = code(`import { ${symbol.name} } from '${this.page.subpath}'`)
    const members = sorted(symbol.children).map((member) => [
      `${'#'.repeat(level)} ${member.name}${member.signatures ? '()' : ''} {#${anchorOf(this.page, symbol, member.name)}}`,
      ...this.body(member, level + 1),
    ])
    return [line, ...this.comment(symbol.comment), ...members.flat()]
  }

  private class(symbol: DeclarationReflection, level: number): string[] {
    const made = symbol.children?.find(({ kind }) => kind === ReflectionKind.Constructor)
    const members = this.ownMembers(symbol)
    const methods = members.filter(({ signatures }) => signatures)
    return [
      ...(symbol === this.page.main
        ? [code(`import { ${symbol.name} } from '${this.page.subpath}'`)]
        : []),
      ...this.comment(symbol.comment),
      ...this.heritage(symbol),
      ...(made?.signatures && !made.inheritedFrom
        ? this.signatures(made.signatures, `new ${symbol.name}`)
        : []),
      ...this.table(members.filter(({ signatures }) => !signatures)),
      ...methods.flatMap((method) => [
        `${'#'.repeat(level)} ${method.name}() {#${anchorOf(this.page, symbol, method.name)}}`,
        ...this.signatures(method.signatures ?? [], methodName(symbol, method)),
      ]),
    ]
  }

  /** The members that are not on the page of another class. Those of an abstract class may be for subclasses. */
  private ownMembers(symbol: DeclarationReflection): DeclarationReflection[] {
    const { children = [], flags } = symbol
    const own = children.filter(
      (member) =>
        member.kind !== ReflectionKind.Constructor &&
        !this.ownerOf(symbol, member) &&
        (flags.isAbstract || !member.flags.isProtected),
    )
    return sorted(own)
  }

  /** The classes that have the other members, and the interfaces. */
  private heritage(symbol: DeclarationReflection): string[] {
    const { children = [], extendedTypes = [], implementedTypes = [] } = symbol
    const nameOf = (type: SomeType): string[] => (type.type === 'reference' ? [type.name] : [])
    const owners = children.flatMap((member) => this.ownerOf(symbol, member) ?? [])
    const namesOf = (kind: ReflectionKind): string[] =>
      owners.filter((owner) => owner.kind === kind).map(({ name }) => name)
    const linked = (names: readonly string[]): string[] =>
      [...new Set(names)].flatMap((name) => {
        const link = this.resolve(name, this.page.subpath)
        return link ? [`[\`${name}\`](${link})`] : []
      })
    const bases = linked([...extendedTypes.flatMap(nameOf), ...namesOf(ReflectionKind.Class)])
    const interfaces = linked([
      ...implementedTypes.flatMap(nameOf),
      ...namesOf(ReflectionKind.Interface),
    ])
    const lines = [
      ...(bases.length > 0 ? [`Inherits from ${bases.join(', ')}.`] : []),
      ...(interfaces.length > 0 ? [`Implements ${interfaces.join(', ')}.`] : []),
    ]
    return lines.length > 0 ? [lines.join(' ')] : []
  }

  private signatures(signatures: readonly SignatureReflection[], name: string): string[] {
    const block = code(signatures.map((signature) => signatureText(signature, name)).join('\n'))
    const texts = signatures.flatMap((signature) => this.comment(commentOf(signature), signature))
    return [block, ...new Set(texts)]
  }

  /** A comment: text, parameters, result, errors. */
  private comment(comment?: Comment, signature?: SignatureReflection): string[] {
    const parameters = (signature?.parameters ?? [])
      .filter((parameter) => parameter.comment)
      .map((it) => `- \`${it.name}\`: ${this.inline(it.comment?.summary)}`)
    const tags = (comment?.blockTags ?? []).map(({ tag, content }) => {
      const title = TAGS[tag] ?? tag.slice(1)
      return `${title} ${this.inline(content)}`.trim()
    })
    const text = this.parts(comment?.summary)
    return [
      ...(text ? [text] : []),
      ...(parameters.length > 0 ? [parameters.join('\n')] : []),
      ...tags,
    ]
  }

  private table(members: readonly DeclarationReflection[]): string[] {
    if (members.length === 0) return []
    const rows = members.map((member) => {
      const comment =
        member.comment ?? member.getSignature?.comment ?? member.signatures?.[0].comment
      const text = [comment?.summary, ...(comment?.blockTags ?? []).map(({ content }) => content)]
      const about = text.map((parts) => this.inline(parts)).filter(Boolean)
      return `| ${cellCode(memberText(member))} | ${about.join(' ').replaceAll('|', '\\|')} |`
    })
    return [`| name | description |\n|---|---|\n${rows.join('\n')}`]
  }

  private inline(parts?: readonly CommentDisplayPart[]): string {
    return this.parts(parts).replaceAll(/\s*\n\s*/g, ' ')
  }

  private parts(parts: readonly CommentDisplayPart[] = []): string {
    return parts
      .map((part) => this.part(part))
      .join('')
      .trim()
  }

  private part(part: CommentDisplayPart): string {
    if (part.kind === 'text') return escaped(part.text)
    const name = part.text.replaceAll('`', '')
    const shown = part.kind === 'code' ? spanOf(part.text) : `\`${name}\``
    const link = NAME.test(name) ? this.resolve(name, this.page.subpath) : undefined
    return link ? `[${shown}](${link})` : shown
  }
}

/** A code span that may be a symbol. A plain word in lower case is usually an option or a value. */
const NAME = /^(?:[A-Z]\w*|\w+(?:\.\w+)+|\w+\(\)|\w+\.\w+\(\))$/

const TAGS: Readonly<Record<string, string>> = {
  '@returns': '**Returns**',
  '@throws': '**Throws**',
  '@example': '**Example**',
  '@default': '**Default**',
}

/** The comment of a signature, unless TypeDoc has copied it from the overridden one. */
function commentOf({ comment, overwrites }: SignatureReflection): Comment | undefined {
  const base = overwrites?.reflection?.comment
  return base && commentText(base) === commentText(comment) ? undefined : comment
}

const code = (text: string): string => `\`\`\`ts\n${text}\n\`\`\``

/** Vue evaluates {{ }} in a span of Markdown. */
const spanOf = (text: string): string =>
  text.includes('{{')
    ? `<code v-pre>${text.replaceAll('`', '').replaceAll('<', '&lt;')}</code>`
    : text

const cellCode = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

/** Text of a comment: what Markdown or Vue would read as HTML or a template is escaped. */
const escaped = (text: string): string =>
  text
    .replaceAll('<', '&lt;')
    .replaceAll('{{', '&#123;&#123;')
    .replaceAll(/(?<=\S)\*(?=\S)/g, '\\*')

/** Properties and methods of an interface or an object type. */
function propertiesOf({ children, type }: DeclarationReflection): readonly DeclarationReflection[] {
  if (children) return children.filter(({ inheritedFrom }) => !inheritedFrom?.reflection)
  return (type?.type === 'reflection' && type.declaration.children) || []
}

/** The call signatures of an interface of functions. */
function callsOf({ signatures = [] }: DeclarationReflection): string {
  const lines = signatures.map((signature) => `${signatureText(signature, '  ')}\n`)
  return lines.length > 0 ? ` {\n${lines.join('')}}` : ''
}

function declarationText(symbol: DeclarationReflection): string {
  const { name, kind, type, typeParameters, extendedTypes = [], children, defaultValue } = symbol
  const generics = genericsText(typeParameters)
  if (kind === ReflectionKind.Interface) {
    const bases =
      extendedTypes.length > 0 ? ` extends ${extendedTypes.map(typeText).join(', ')}` : ''
    return `interface ${name}${generics}${bases}`
  }
  if (kind === ReflectionKind.TypeAlias) {
    if (type?.type === 'reflection' && type.declaration.children)
      return `type ${name}${generics} = { … }`
    const text = type?.type === 'union' ? unionText(type) : type ? typeText(type) : 'unknown'
    return `type ${name}${generics} = ${text}`
  }
  if (children) return `const ${name}: { … }`
  return `const ${name}: ${typeOf(symbol)}${defaultValue && defaultValue.length < 30 && defaultValue !== '...' ? ` = ${defaultValue}` : ''}`
}

const firstSentence = (text: string): string => /^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text

function methodName(symbol: DeclarationReflection, method: DeclarationReflection): string {
  const { isStatic, isProtected } = method.flags
  return `${isProtected ? 'protected ' : ''}${isStatic ? `${symbol.name}.` : ''}${method.name}`
}

/** In the order of the alphabet, so that a reader finds a name. */
const sorted = (members: readonly DeclarationReflection[] = []): DeclarationReflection[] =>
  members.toSorted((a, b) => a.name.localeCompare(b.name))
