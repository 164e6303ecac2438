// Where a native addon may lie. The published package holds the size and the hash of each prebuilt one (prebuilt.json).
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { once } from '../../util/once.ts'
import { packageFolder } from '../../util/package-folder.ts'
import { setting } from '../../util/settings.ts'
import { warn } from '../../util/warn.ts'
import { SCOPE, type Target, targets } from './targets.ts'

/** HEED_ADDON, `heed build` (or `npm install` in a checkout), or the package of this system. */
export type Origin = 'HEED_ADDON' | 'built' | 'prebuilt'

export interface AddonRecord {
  readonly bytes: number
  readonly sha256: string
}

export interface AddonPlace {
  readonly path: string
  readonly origin: Origin
  /** What the file must be, where it is known. */
  readonly record?: AddonRecord
}

/** The name of the file in the main package. It is written by `npm run prebuild`; a checkout has none. */
export const RECORDS = 'prebuilt.json'

/** By the name of the target. */
const records = once((): ReadonlyMap<string, AddonRecord> => {
  const folder = packageFolder()
  const path = folder && join(folder, RECORDS)
  if (!path || !existsSync(path)) return new Map()
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8'))))
  } catch (error) {
    warn(`${path} cannot be read (${(error as Error).message}). Install heed again (\`npm install heed\`).`) // biome-ignore format: one line
    return new Map()
  }
})

/** In the order in which they are tried: as HEED_ADDON says, built here, prebuilt. */
export function addonPlaces(): AddonPlace[] {
  const places: AddonPlace[] = []
  const wanted = setting('HEED_ADDON')
  if (wanted) places.push({ path: resolve(wanted), origin: 'HEED_ADDON' })
  const folder = packageFolder()
  const built = folder && join(folder, 'native', 'build', 'heed.node')
  if (built && existsSync(built)) places.push({ path: built, origin: 'built' })
  const target = targetHere()
  const record = target && records().get(target.name)
  const path = record && prebuiltPath(target)
  if (path) places.push({ path, origin: 'prebuilt', record })
  return places
}

/** That of this process: musl and glibc may both be installed, so the process itself is asked. */
export function targetHere(): Target | undefined {
  const libc = process.platform === 'linux' ? (usesMusl() ? 'musl' : 'glibc') : undefined
  return targets.find(
    (target) =>
      target.os === process.platform && target.cpu === process.arch && target.libc === libc,
  )
}

function usesMusl(): boolean {
  try {
    return /\/(?:ld-musl-|libc\.musl-)[^/\n]*$/m.test(readFileSync('/proc/self/maps', 'utf8'))
  } catch {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime === undefined
  }
}

export const packageOf = (target: Target): string => `${SCOPE}/${target.name}`

/** Of the package beside this copy of Heed. */
function prebuiltPath(target: Target): string | null {
  const folder = packageFolder()
  const from = folder ? join(folder, 'package.json') : import.meta.url
  try {
    return createRequire(from).resolve(`${packageOf(target)}/heed.node`)
  } catch {
    return null
  }
}

/** What is wrong with the file; null for the one that the package was published with. */
export function damageOf(path: string, record: AddonRecord): string | null {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return `it cannot be read (${(error as NodeJS.ErrnoException).code})`
  }
  if (bytes.length !== record.bytes)
    return `it has ${bytes.length} bytes and must have ${record.bytes}`
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return sha256 === record.sha256 ? null : 'it is not the file that was published'
}

/**
 * What a library for Linux lacks at its end, where the table of its sections lies; null if nothing. Loading one that is
 * cut off ends the process.
 */
export function lackOf(path: string): string | null {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const header = Buffer.alloc(64)
    if (readSync(file, header, 0, 64, 0) < 64 || header.readUInt32BE(0) !== 0x7f454c46) return null
    const entries = header.readUInt16LE(58) * header.readUInt16LE(60)
    const needed = Number(header.readBigUInt64LE(40)) + entries
    const { size } = fstatSync(file)
    return size < needed ? `it has ${size} bytes and must have at least ${needed}` : null
  } catch {
    return null // loading it says what is wrong
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Why no addon was found, with the remedy. */
export function reasonForNone(): string {
  if (packageFolder() === null)
    return "heed's own folder was not found: leave heed out of the bundle (--external:heed)"
  const target = targetHere()
  if (target === undefined)
    return `there is no prebuilt addon for ${process.platform} on ${process.arch}: compile one with \`npx heed build\``
  if (records().has(target.name))
    return `the package ${packageOf(target)} is not installed: run \`npm install ${packageOf(target)}\`, or compile the addon with \`npx heed build\``
  return 'the native addon is not built: run `npx heed build`'
}
