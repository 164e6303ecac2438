// Loads user modules, which register models, tasks, readers and so on before a command runs.
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { extname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { copies } from './copies.ts'
import { alternatives, HeedError } from './errors.ts'

export interface ImportedModule {
  /** Name as given by the user: `./my-model.ts`. */
  readonly name: string
  /** Absolute URL: `file:///…`. */
  readonly url: string
}

/** Modules that `loadImports` loaded in this thread, in order. */
export const importedModules = (): readonly ImportedModule[] => loaded

const loaded: ImportedModule[] = []

/**
 * Loads modules in order. Modules that are already loaded are skipped.
 * @param names paths relative to `cwd`, or `file:` URLs
 * @throws HeedError if a file is missing, throws, has TypeScript that Node cannot load, or loads a second copy of Heed
 */
export async function loadImports(names: readonly string[], cwd = process.cwd()): Promise<void> {
  for (const name of names) {
    const path = name.startsWith('file:') ? fileURLToPath(name) : resolve(cwd, name)
    await loadModules([{ name, url: pathToFileURL(path).href }])
  }
}

/** Loads the modules of another thread in this thread. */
export async function loadModules(modules: readonly ImportedModule[]): Promise<void> {
  for (const module of modules) {
    if (loaded.some(({ url }) => url === module.url)) continue
    await loadOne(module)
    loaded.push(module)
  }
}

const ENDINGS = ['.js', '.mjs', '.ts', '.mts']

async function loadOne({ name, url }: ImportedModule): Promise<void> {
  const path = fileURLToPath(url)
  if (!existsSync(path))
    throw new HeedError('missing-file', `The imported file must exist, got ${name}`, {
      key: 'import',
      value: name,
      remedy: `${path} does not exist. Check the path.`,
    })
  const ending = extname(path)
  if (!ENDINGS.includes(ending))
    throw new HeedError('invalid-option', `The imported file must be a module, got ${name}`, {
      key: 'import',
      value: name,
      remedy: `Use a file that ends in ${alternatives(ENDINGS)}.`,
    })
  if (ending.endsWith('ts')) useProjectLoader(path)
  const copiesBefore = copies.length
  try {
    await import(url)
  } catch (error) {
    throw copies.length > copiesBefore ? secondCopy(name) : explained(error, name, path)
  }
  if (copies.length > copiesBefore) throw secondCopy(name)
}

/** TypeScript loaders that work with `module.register`. */
const LOADERS = ['tsx/esm', '@oxc-node/core/esm']

let usesLoader = false

/** Node 20 has no type stripping. Use a loader from the project of the file, if one is installed. */
function useProjectLoader(path: string): void {
  if (usesLoader || stripsTypes()) return
  for (const loader of LOADERS)
    try {
      nodeModule.register(loader, pathToFileURL(path), { data: {} })
      usesLoader = true
      return
    } catch {} // not installed
}

const stripsTypes = (): boolean =>
  Boolean((process.features as { typescript?: string | false }).typescript)

function explained(error: unknown, name: string, path: string): HeedError {
  if (error instanceof HeedError) {
    const { code, message, details, remedy } = error
    return new HeedError(code, `${name}: ${message}`, { ...details, remedy, cause: error })
  }
  const { code, message = String(error) } = Object(error) as NodeJS.ErrnoException
  const options = { key: 'import', value: name, cause: error }
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.m?ts\b/.test(message))
    return new HeedError(
      'unsupported',
      `Node ${process.version} cannot load TypeScript without a loader, got ${name}`,
      {
        ...options,
        remedy:
          'Install a loader in the project (npm install --save-dev tsx), use Node 22.18 or later, or compile the file to JavaScript.',
      },
    )
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return new HeedError(
      'unsupported',
      `${name} contains TypeScript that Node cannot strip: ${firstLine(message)}`,
      {
        ...options,
        remedy:
          'Replace enums, namespaces with values and parameter properties, or start Node with a loader: NODE_OPTIONS="--import tsx".',
      },
    )
  const { name: kind = 'Error' } = Object(error) as Error
  return new HeedError(
    'invalid-option',
    `${name} failed to load: ${kind}: ${firstLine(message)}${placeOf(error, path)}`,
    { ...options, remedy: remedyFor(message) },
  )
}

function remedyFor(message: string): string | undefined {
  if (/Cannot find package 'heed'/.test(message))
    return 'Install heed in the project of the file: npm install heed.'
  if (/outside a module|Unexpected token 'export'|in a cycle/.test(message)) return ES_MODULE
  return undefined
}

const ES_MODULE = 'Make the file an ES module: "type": "module" in package.json, or .mjs and .mts.'

/** " (line 3)", if the stack of the error has a line in the file. */
function placeOf(error: unknown, path: string): string {
  const stack = String((Object(error) as Error).stack)
  for (const file of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${file}:`)
    const line = at < 0 ? null : /^\d+/.exec(stack.slice(at + file.length + 1))
    if (line) return ` (line ${line[0]})`
  }
  return ''
}

const firstLine = (text: string): string => text.split('\n').find((line) => line.trim()) ?? ''

function secondCopy(name: string): HeedError {
  const [first] = copies
  const second = copies.at(-1)
  const where = first === second ? `${first}, loaded twice` : `${first} and ${second}`
  return new HeedError('unsupported', `${name} must use the running copy of Heed, got ${where}`, {
    key: 'import',
    value: name,
    remedy:
      first === second
        ? ES_MODULE
        : 'Start the Heed that the file imports: run npx heed in its project.',
  })
}
