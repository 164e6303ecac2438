// Types and signatures as TypeScript writes them.
import type {
  DeclarationReflection,
  ParameterReflection,
  ReferenceType,
  SignatureReflection,
  SomeType,
  TypeKindMap,
  TypeParameterReflection,
  UnionType,
} from 'typedoc'

/** Lines longer than this have one parameter per line. */
const WIDTH = 90
/** Longer default values are left out. */
const MAX_DEFAULT = 30

const printers: { [K in keyof TypeKindMap]: (type: TypeKindMap[K]) => string } = {
  array: ({ elementType }) => `${enclosed(elementType)}[]`,
  conditional: ({ checkType, extendsType, trueType, falseType }) =>
    `${enclosed(checkType)} extends ${enclosed(extendsType)} ? ${typeText(trueType)} : ${typeText(falseType)}`,
  indexedAccess: ({ objectType, indexType }) => `${enclosed(objectType)}[${typeText(indexType)}]`,
  inferred: ({ name, constraint }) =>
    `infer ${name}${constraint ? ` extends ${typeText(constraint)}` : ''}`,
  intersection: ({ types }) => types.map(enclosed).join(' & '),
  intrinsic: ({ name }) => name,
  literal: ({ value }) =>
    typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value),
  mapped: ({ parameter, parameterType, templateType, readonlyModifier, optionalModifier }) =>
    `{ ${readonlyModifier ? 'readonly ' : ''}[${parameter} in ${typeText(parameterType)}]${optionalModifier ? '?' : ''}: ${typeText(templateType)} }`,
  namedTupleMember: ({ name, isOptional, element }) =>
    `${name}${isOptional ? '?' : ''}: ${typeText(element)}`,
  optional: ({ elementType }) => `${enclosed(elementType)}?`,
  predicate: ({ asserts, name, targetType }) =>
    `${asserts ? 'asserts ' : ''}${name}${targetType ? ` is ${typeText(targetType)}` : ''}`,
  query: ({ queryType }) => `typeof ${queryType.name}`,
  reference: (type) => {
    if (!type.reflection && isOurs(type)) unlisted.set(`${type.name} (${fileOf(type)})`, type)
    return type.name + argumentsText(type.typeArguments)
  },
  reflection: ({ declaration }) => literalText(declaration),
  rest: ({ elementType }) => `...${enclosed(elementType)}`,
  templateLiteral: ({ head, tail }) =>
    `\`${head}${tail.map(([type, text]) => `\${${typeText(type)}}${text}`).join('')}\``,
  tuple: ({ elements }) => `[${elements.map(typeText).join(', ')}]`,
  typeOperator: ({ operator, target }) => `${operator} ${enclosed(target)}`,
  union: (type) => {
    const text = unionText(type)
    return aliases.get(text) ?? text
  },
  unknown: ({ name }) => name,
}

/** Types of Heed in printed signatures that are not exported. Type parameters have neither a package nor a symbol. */
export const unlisted = new Map<string, ReferenceType>()

const isOurs = ({ package: from, refersToTypeParameter }: ReferenceType): boolean =>
  from === 'heed' && !refersToTypeParameter

const fileOf = ({ symbolId }: ReferenceType): string => symbolId?.packagePath ?? ''

/** Exported names of unions of literals, by their text. TypeScript does not keep the names of such types. */
const aliases = new Map<string, string>()

/** Shorter unions are printed in full. */
const MIN_LITERALS = 4

/** Lets a union be printed by the name of this exported type, if it is one of many literals. */
export function nameUnion({ name, type }: DeclarationReflection): void {
  if (type?.type !== 'union' || type.types.length < MIN_LITERALS) return
  if (type.types.every((it) => it.type === 'literal')) aliases.set(unionText(type), name)
}

export const unionText = ({ types }: UnionType): string => types.map(enclosed).join(' | ')

export function typeText<T extends SomeType>(type: T): string {
  const print = printers[type.type] as (type: T) => string
  return print(type)
}

/** A type within another one, in parentheses where they are needed. */
function enclosed(type: SomeType): string {
  const text = typeText(type)
  const isFunction = type.type === 'reflection' && type.declaration.signatures
  const isOpen = isFunction || ['union', 'intersection', 'conditional', 'inferred', 'typeOperator'].includes(type.type) // biome-ignore format: one line
  return isOpen ? `(${text})` : text
}

const argumentsText = (types: readonly SomeType[] = []): string =>
  types.length > 0 ? `<${types.map(typeText).join(', ')}>` : ''

/** An object type or a function type. */
function literalText({
  children = [],
  signatures = [],
  indexSignatures = [],
}: DeclarationReflection): string {
  const [only] = signatures
  if (only && signatures.length + children.length === 1)
    return `${parametersText(only)} => ${returnText(only)}`
  const members = [
    ...indexSignatures.map(
      (it) => `[${it.parameters?.map(parameterText).join(', ')}]: ${returnText(it)}`,
    ),
    ...signatures.map((it) => `${parametersText(it)}: ${returnText(it)}`),
    ...children.map((child) => memberText(child)),
  ]
  return members.length > 0 ? `{ ${members.join('; ')} }` : '{}'
}

/** A property, accessor or method of an object type, an interface or a class. */
export function memberText(member: DeclarationReflection): string {
  const [method] = member.signatures ?? []
  if (method)
    return `${member.name}${optionalMark(member)}${parametersText(method)}: ${returnText(method)}`
  const isStatic = member.flags.isStatic ? 'static ' : ''
  return `${isStatic}${readonlyMark(member)}${member.name}${optionalMark(member)}: ${typeOf(member)}`
}

/** The type of a property, also of one with a getter. */
export function typeOf(member: DeclarationReflection): string {
  const type = member.getSignature?.type ?? member.type ?? member.setSignature?.parameters?.[0].type
  return type ? typeText(type) : 'unknown'
}

function readonlyMark({ flags, getSignature, setSignature }: DeclarationReflection): string {
  return flags.isReadonly || (getSignature && !setSignature) ? 'readonly ' : ''
}

const optionalMark = ({ flags }: DeclarationReflection | ParameterReflection): string =>
  flags.isOptional ? '?' : ''

/** A function, method or constructor: `name(a: A, b?: B): R`. */
export function signatureText(signature: SignatureReflection, name: string): string {
  const isConstructor = name.startsWith('new ')
  const result = isConstructor ? '' : `: ${returnText(signature)}`
  const line = `${name}${parametersText(signature)}${result}`
  if (line.length <= WIDTH || !signature.parameters?.length) return line
  const lines = signature.parameters.map((parameter) => `  ${parameterText(parameter)},\n`)
  const generics = isConstructor ? '' : genericsText(signature.typeParameters)
  return `${name}${generics}(\n${lines.join('')})${result}`
}

const returnText = ({ type }: SignatureReflection): string => (type ? typeText(type) : 'void')

function parametersText({ name, typeParameters, parameters = [] }: SignatureReflection): string {
  const generics = name === 'constructor' ? '' : genericsText(typeParameters)
  return `${generics}(${parameters.map(parameterText).join(', ')})`
}

function parameterText(parameter: ParameterReflection): string {
  const { name, flags, type, defaultValue } = parameter
  const rest = flags.isRest ? '...' : ''
  const isShort =
    defaultValue !== undefined && defaultValue !== '...' && defaultValue.length <= MAX_DEFAULT
  const mark = optionalMark(parameter) || (defaultValue !== undefined && !isShort ? '?' : '')
  const given = isShort ? ` = ${defaultValue}` : ''
  // TypeDoc names a parameter that is taken apart `__namedParameters`.
  return `${rest}${name === '__namedParameters' ? 'options' : name}${mark}: ${type ? typeText(type) : 'unknown'}${given}`
}

export function genericsText(parameters: readonly TypeParameterReflection[] = []): string {
  if (parameters.length === 0) return ''
  const texts = parameters.map(({ name, type, default: fallback }) => {
    const bound = type ? ` extends ${typeText(type)}` : ''
    return `${name}${bound}${fallback ? ` = ${typeText(fallback)}` : ''}`
  })
  return `<${texts.join(', ')}>`
}
