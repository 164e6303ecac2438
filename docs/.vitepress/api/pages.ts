// Divides the exports of a subpath among pages: a class has a page with everything that its file exports; functions and
// types of other files are on the page of the subpath; a namespace has a page.
import { type DeclarationReflection, ReflectionKind } from 'typedoc'

export interface ApiPage {
  /** `heed/nn`. */
  subpath: string
  /** From docs/, without an ending: `reference/api/nn/linear`. */
  path: string
  title: string
  /** The class or namespace that the page is about; its members have no prefix in anchors. */
  main?: DeclarationReflection
  symbols: DeclarationReflection[]
  /** In an overview: the module, and the classes, functions and values that are on other pages. */
  module?: DeclarationReflection
  contents?: DeclarationReflection[]
}

export const FOLDER = 'reference/api'

/** The pages of a subpath; the first one is its overview. */
export function pagesOf(subpath: string, module: DeclarationReflection): ApiPage[] {
  const folder = `${FOLDER}/${subpath === 'heed' ? 'heed' : subpath.slice('heed/'.length)}`
  const overview: ApiPage = {
    subpath,
    path: `${folder}/index`,
    title: subpath,
    symbols: [],
    module,
  }
  const pages = [overview]
  for (const [source, symbols] of bySource(module.children ?? [])) {
    const file = source.split('/').at(-1)?.replace(/\.ts$/, '') ?? ''
    const namespaces = symbols.filter(isNamespace)
    for (const main of namespaces)
      pages.push({
        subpath,
        path: `${folder}/${kebab(main.name)}`,
        title: main.name,
        main,
        symbols: [main],
      })
    const others = symbols.filter((symbol) => !namespaces.includes(symbol))
    const classes = others.filter(isClass)
    if (classes.length === 0) overview.symbols.push(...others)
    else {
      const main =
        classes.length === 1 ? classes[0] : classes.find(({ name }) => kebab(name) === file)
      const title = main?.name ?? titleOf(file, classes)
      pages.push({
        subpath,
        path: `${folder}/${main ? kebab(main.name) : file}`,
        title,
        main,
        symbols: others,
      })
    }
  }
  overview.contents = pages.slice(1).flatMap(({ symbols }) => symbols.filter(isValue))
  return pages
}

const isValue = ({ kind }: DeclarationReflection): boolean =>
  (kind & (ReflectionKind.Interface | ReflectionKind.TypeAlias)) === 0

export const isClass = ({ kind }: DeclarationReflection): boolean => kind === ReflectionKind.Class
export const isNamespace = ({ kind }: DeclarationReflection): boolean =>
  kind === ReflectionKind.Namespace

/** The symbols by the path of their source file, from the root of the repository. */
function bySource(exports: readonly DeclarationReflection[]): Map<string, DeclarationReflection[]> {
  const files = new Map<string, DeclarationReflection[]>()
  for (const symbol of exports) {
    const source = sourceOf(symbol)
    files.set(source, [...(files.get(source) ?? []), symbol])
  }
  return files
}

export const sourceOf = ({ sources }: DeclarationReflection): string => sources?.[0]?.fileName ?? ''

/** Names of two or three classes; of more, the name of the file. */
function titleOf(file: string, classes: readonly DeclarationReflection[]): string {
  const words = file.replaceAll('-', ' ')
  const names = classes.map(({ name }) => name)
  if (names.length <= 3 && names.join(', ').length <= 40) return names.join(', ')
  return file.includes('_') ? file : words[0].toUpperCase() + words.slice(1)
}

/** `LayerNorm` -> `layer-norm`, `GPT2` -> `gpt2`. */
export const kebab = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
