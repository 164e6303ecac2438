import { existsSync, readFileSync } from 'node:fs'
import nodeModule from 'node:module' // programs that esbuild bundles often declare createRequire themselves
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HeedError } from './errors.ts'
import { builtVersion, commonJsFile, here } from './here.ts'
import { once } from './once.ts'

/**
 * The folder of the package heed, with its files other than code. A bundle of Heed's code (by esbuild, webpack …) is in
 * another package; it uses the package heed of the same version that the program can import. Null if there is none.
 */
export const packageFolder = (): string | null => search().folder

/** The scope of the packages that belong to heed: its native addons and its WebAssembly. */
export const SCOPE = '@heed'

export interface Companion {
  readonly folder: string
  readonly version: string | undefined
}

/** The package in `SCOPE` that this copy of heed finds; null if it is not installed. */
export function findCompanion(name: string): Companion | null {
  const own = packageFolder()
  if (own === null) return null
  try {
    const { resolve } = nodeModule.createRequire(join(own, 'package.json'))
    const folder = dirname(resolve(`${SCOPE}/${name}/package.json`))
    return { folder, version: manifestOf(folder).version }
  } catch {
    return null
  }
}

/**
 * The path of a file of Heed that is read or run directly.
 * @param path relative to `src`; the build copies such files to `dist`
 * @param companion the package in `SCOPE` that contains the file when Heed is published
 * @throws HeedError if the package or the file is missing, or the companion has another version
 */
export function ownFile(path: string, companion?: string): string {
  const folder = packageFolder()
  if (folder === null) throw noFolder()
  const places = builtVersion === undefined ? ['src', path] : ['dist', basename(path)]
  const file = onDisk(join(folder, ...places))
  if (existsSync(file)) return file
  if (companion !== undefined) return companionFile(companion, basename(path))
  throw new HeedError('missing-file', `The package heed must have the file ${file}, but it is missing`, { remedy: 'Reinstall heed.' }) // biome-ignore format: one line
}

function companionFile(name: string, path: string): string {
  const companion = findCompanion(name)
  const file = companion && onDisk(join(companion.folder, path))
  if (companion?.version === builtVersion && file && existsSync(file)) return file
  const found = companion ? `${companion.version} in ${companion.folder}` : 'none'
  throw new HeedError(
    'missing-file',
    `heed ${builtVersion} must have ${path} from the package ${SCOPE}/${name} of the same version, got ${found}`,
    { remedy: `Run \`npm install ${SCOPE}/${name}@${builtVersion}\`.` },
  )
}

/** The error if `packageFolder` is null. */
export const noFolder = (): HeedError =>
  new HeedError('missing-file', search().problem, {
    remedy: 'Install heed next to the program.',
  })

/** Part of the message, because some runtimes print only the message of an error. */
const LEAVE_OUT =
  'leave heed out of the bundle (esbuild: `--external:heed`; Bun, Deno: `--external heed`; Vite: `ssr.external`; webpack: `externals`; rolldown: `external`)'

/** Electron unpacks files that the operating system must open to a folder next to its archive. */
export function onDisk(path: string): string {
  const unpacked = path.replace(/\.asar(?=[\\/])/, '.asar.unpacked')
  return unpacked !== path && existsSync(unpacked) ? unpacked : path
}

interface Search {
  readonly folder: string | null
  readonly problem: string
}

const search = once((): Search => {
  const files = starts()
  let other = ''
  for (const file of files) {
    const folder = heedOf(file) ?? importable(file)
    if (folder === null) continue
    const { version } = manifestOf(folder)
    if (builtVersion === undefined || version === builtVersion) return { folder, problem: '' }
    other ||= `The program contains heed ${builtVersion}, but ${folder} has heed ${version}, whose files do not match` // biome-ignore format: one line
  }
  return {
    folder: null,
    problem: `${other || `The files of heed were not found from ${files[0]}`}: ${LEAVE_OUT}`,
  }
})

/** Paths to search from. A bundler may have replaced the first by a path of the build machine. */
function starts(): string[] {
  const own = here?.startsWith('file:') ? fileURLToPath(here) : undefined
  return [own, commonJsFile, process.argv[1], process.execPath].filter((path) => path !== undefined)
}

/** The package folder of a file, if the package is heed. */
function heedOf(file: string): string | null {
  const folder = dirname(file)
  if (existsSync(join(folder, 'package.json')))
    return manifestOf(folder).name === 'heed' ? folder : null
  return folder === file ? null : heedOf(folder)
}

function importable(file: string): string | null {
  try {
    return heedOf(nodeModule.createRequire(file).resolve('heed'))
  } catch {
    return null
  }
}

function manifestOf(folder: string): { name?: string; version?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) ?? {}
  } catch {
    return {}
  }
}
