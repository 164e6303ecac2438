// Writes the API reference to docs/reference/api: a folder for each subpath export of package.json, made by TypeDoc from
// types and docstrings. `npm run docs` runs it. A warning of TypeDoc is an error.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Application,
  ConsoleLogger,
  Converter,
  type DeclarationReflection,
  LogLevel,
  type ProjectReflection,
} from 'typedoc'
import { describeKey, undocumented } from './documented.ts'
import { ownersIn } from './owners.ts'
import { type ApiPage, FOLDER, isClass, isNamespace, pagesOf } from './pages.ts'
import { anchorOf, pageText, type Resolve } from './render.ts'
import { nameUnion, unlisted } from './types.ts'

const docs = fileURLToPath(new URL('../..', import.meta.url))
const root = join(docs, '..')

/** Types that need no page: layers of models, which are fields of exported classes, and the inside of the engine. */
const UNLISTED = /\(src\/(?:models\/(?:text|vision|shared)|graph|runtime\/cpu)\//

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const subpaths = Object.entries<{ types?: string }>(exports).filter(([, { types }]) => types)

/** Without the warning about a member of both parts of an intersection type, which has its one docstring twice. */
class Log extends ConsoleLogger {
  override level = LogLevel.Warn
  override log(message: string, level: Exclude<LogLevel, LogLevel.None>): void {
    if (!message.includes('multiple declarations with a comment')) super.log(message, level)
  }
}

const project = await convert()
const pages = modulesOf(project).flatMap((module) => pagesOf(subpathOf(module), module))
const links = linksOf(pages)
rmSync(join(docs, FOLDER), { recursive: true, force: true })
for (const { symbols } of pages) symbols.forEach(nameUnion)
const ownerOf = ownersIn(pages.flatMap(({ symbols }) => symbols))
for (const page of pages) write(`${page.path}.md`, pageText(page, resolve, ownerOf))
write(`${FOLDER}/index.md`, indexText())
write(`${FOLDER}/sidebar.json`, JSON.stringify(sidebar()))
write(`${FOLDER}/links.json`, JSON.stringify(typeLinks()))
checkExports()
console.log(`${pages.length} pages of the API reference`)

async function convert(): Promise<ProjectReflection> {
  const app = await Application.bootstrap({
    entryPoints: subpaths.map(([name]) => join(root, 'src', name, 'index.ts')),
    tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
    basePath: root,
    displayBasePath: root,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    disableGit: true,
    sourceLinkTemplate: '{path}',
    gitRevision: 'main',
    readme: 'none',
    sort: ['source-order'],
    // The checkout is type-checked by `npm run check`, with its own TypeScript.
    skipErrorChecking: true,
    // What is not exported is checked below, in what the pages show.
    validation: { notExported: false, invalidLink: true, rewrittenLink: true },
  })
  app.logger = new Log()
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, describeKey)
  const converted = await app.convert()
  if (converted) app.validate(converted)
  if (!converted || app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1)
  return converted
}

/** Every export has a docstring, and the types in its signature are exported. */
function checkExports(): void {
  const symbols = pages.flatMap(({ symbols }) => symbols)
  const problems = [
    ...undocumented(symbols).map((place) => `${place} must have a docstring`),
    ...[...unlisted.keys()].filter((text) => !UNLISTED.test(text)).map((text) => `${text} must be exported, because an exported signature has it`), // biome-ignore format: one line
  ]
  if (problems.length === 0) return
  console.error(problems.join('\n'))
  process.exit(1)
}

/** The modules in the order of package.json. TypeDoc sorts them by name. */
function modulesOf({ children = [] }: ProjectReflection): DeclarationReflection[] {
  const names = subpaths.map(([name]) => name.replace('.', 'heed'))
  const placeOf = (module: DeclarationReflection): number => names.indexOf(subpathOf(module))
  return children.toSorted((a, b) => placeOf(a) - placeOf(b))
}

/** `src/nn/index.ts` -> `heed/nn`. */
function subpathOf({ sources }: DeclarationReflection): string {
  const [, folder] = /^src\/(?:(\w+)\/)?index\.ts$/.exec(sources?.[0].fileName ?? '') ?? []
  return folder ? `heed/${folder}` : 'heed'
}

/** The links to symbols and their members, by subpath and name. */
function linksOf(all: readonly ApiPage[]): Map<string, Map<string, string>> {
  const bySubpath = new Map<string, Map<string, string>>()
  const paths = new Set<string>()
  for (const page of all) {
    if (paths.has(page.path)) throw new Error(`Two pages have the path ${page.path}`)
    paths.add(page.path)
    const names = bySubpath.get(page.subpath) ?? new Map<string, string>()
    bySubpath.set(page.subpath, names)
    const base = linkOf(page.path)
    const add = (name: string, anchor: string): void => void names.set(name, anchor ? `${base}#${anchor}` : base) // biome-ignore format: one line
    for (const symbol of page.symbols) {
      add(symbol.name, anchorOf(page, symbol))
      for (const member of symbol.children ?? [])
        if (isNamespace(symbol) || (isClass(symbol) && member.signatures))
          add(`${symbol.name}.${member.name}`, anchorOf(page, symbol, member.name))
    }
  }
  return bySubpath
}

function resolve(name: string, subpath: string): ReturnType<Resolve> {
  const plain = name.replace(/\(\)$/, '')
  const own = links.get(subpath)?.get(plain)
  if (own) return own
  const others = new Set([...links.values()].flatMap((names) => names.get(plain) ?? []))
  return others.size === 1 ? [...others][0] : undefined
}

/** The links of types and classes in signatures, by folder of a subpath; signatures.ts reads them. */
function typeLinks(): Record<string, Record<string, string>> {
  const types = [...new Set([...links.values()].flatMap((names) => [...names.keys()]))].filter((name) => /^[A-Z]\w*$/.test(name)) // biome-ignore format: one line
  const linksIn = (subpath: string): [string, string][] =>
    types.flatMap((name) => {
      const link = resolve(name, subpath)
      return link ? [[name, link]] : []
    })
  return Object.fromEntries(
    overviews().map(({ subpath, path }) => [
      path.split('/')[2],
      Object.fromEntries(linksIn(subpath)),
    ]),
  )
}

/** The page of all subpaths. */
function indexText(): string {
  const rows = overviews().map(({ subpath, path, module }) => {
    const about = module?.comment?.summary.map(({ text }) => text).join('') ?? ''
    return `| [\`${subpath}\`](${linkOf(path)}) | ${about.split('\n\n')[0].replaceAll('\n', ' ')} |`
  })
  return `# API\n\nThe exports of the package, by import path.\n\n| import path | contents |\n|---|---|\n${rows.join('\n')}\n`
}

/** The subpaths with their pages, for the sidebar of the reference. */
function sidebar(): unknown {
  return overviews().map(({ subpath, path }) => ({
    text: subpath,
    link: linkOf(path),
    collapsed: true,
    items: pages
      .filter((page) => page.subpath === subpath && !page.contents)
      .map((page) => ({ text: page.title, link: linkOf(page.path) }))
      .toSorted((a, b) => a.text.localeCompare(b.text)),
  }))
}

function overviews(): ApiPage[] {
  return pages.filter(({ contents }) => contents)
}

function linkOf(path: string): string {
  return `/${path.replace(/index$/, '')}`
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(docs, path)), { recursive: true })
  writeFileSync(join(docs, path), text)
}
