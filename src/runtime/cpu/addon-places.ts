// The places of native addons. The published package has the size and the hash of each prebuilt addon (prebuilt.json).
// `heed build` writes the size of the addon that it compiles to heed.json.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { once } from '../../util/once.ts'
import { findCompanion, noFolder, onDisk, packageFolder, SCOPE } from '../../util/package-folder.ts'
import { setting } from '../../util/settings.ts'
import { version } from '../../util/version.ts'
import { warn } from '../../util/warn.ts'
import type { AddonRecord } from './addon-file.ts'
import { type Target, targets } from './targets.ts'

/** Set by HEED_ADDON, compiled by `heed build` (or `npm install` in a checkout), or from the package of this system. */
export type Origin = 'HEED_ADDON' | 'built' | 'prebuilt'

export interface AddonPlace {
  readonly path: string
  readonly origin: Origin
  /** The expected size and hash of the file, if known. */
  readonly record?: AddonRecord
  /** The reason why the file cannot be used, regardless of its contents. */
  readonly problem?: string
  /** What to do if the file does not work. */
  readonly remedy: string
}

/** Name of the record file in the main package. `npm run prebuild` writes it; a checkout has none. */
export const RECORDS = 'prebuilt.json'

/** Records of the prebuilt addons by name of the target. */
const records = once((): Partial<Record<string, AddonRecord>> => {
  const folder = packageFolder()
  return folder === null ? {} : readJson(join(folder, RECORDS))
})

/** All places in the order in which they are tried: HEED_ADDON, compiled here, prebuilt. */
export function addonPlaces(): AddonPlace[] {
  const wanted = setting('HEED_ADDON')
  const named: AddonPlace | undefined = wanted
    ? { path: resolve(wanted), origin: 'HEED_ADDON', remedy: 'Correct HEED_ADDON, or unset it.' }
    : undefined
  const folder = packageFolder()
  const found = folder === null ? [] : [builtPlace(folder), prebuiltPlace(folder)]
  return [named, ...found].filter((place) => place !== undefined)
}

function builtPlace(folder: string): AddonPlace | undefined {
  const path = onDisk(join(folder, 'native', 'build', 'heed.node'))
  if (!existsSync(path)) return undefined
  const { bytes } = readJson<AddonRecord>(join(dirname(path), 'heed.json'))
  const record = bytes === undefined ? undefined : { bytes }
  return { path, origin: 'built', record, remedy: 'Run `npx heed build` to compile it again.' }
}

function prebuiltPlace(folder: string): AddonPlace | undefined {
  const target = targetHere()
  const companion = target && findCompanion(target.name)
  if (!companion) return undefined
  const { version: other } = companion
  const path = onDisk(join(companion.folder, 'heed.node'))
  const place = { path, origin: 'prebuilt' } as const
  if (other !== version) {
    const problem = `it belongs to heed ${other}, but this is heed ${version}`
    return { ...place, problem, remedy: `Run \`npm install ${packageOf(target)}@${version}\`.` }
  }
  const record = records()[target.name]
  if (record === undefined) {
    const problem = `${join(folder, RECORDS)} has no hash for it`
    return { ...place, problem, remedy: `Run \`npm install heed@${version}\`, or \`npx heed build\`.` } // biome-ignore format: one line
  }
  return { ...place, record, remedy: `Delete ${dirname(path)} and run \`npm install\`.` }
}

/** The target of this process. musl and glibc may both be installed, so the C library of the process is checked. */
export function targetHere(): Target | undefined {
  const libc = process.platform === 'linux' ? libcHere() : undefined
  return targets.find(
    (target) =>
      target.os === process.platform && target.cpu === process.arch && target.libc === libc,
  )
}

function libcHere(): Target['libc'] {
  const maps = existsSync('/proc/self/maps') ? readFileSync('/proc/self/maps', 'utf8') : ''
  return libcIn(maps) ?? libcReported()
}

/** Finds the C library in the memory map of a process. Its file names differ between distributions. */
export function libcIn(maps: string): Target['libc'] {
  if (/\/(?:ld-musl-|libc\.musl-)[^/\n]*$|-musl\/libc\.so$/m.test(maps)) return 'musl'
  return /\/libc(?:\.so\.6|-2\.\d+\.so)$/m.test(maps) ? 'glibc' : undefined
}

/** The C library according to the diagnostic report, which is slow. */
function libcReported(): Target['libc'] {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

export const packageOf = (target: Target): string => `${SCOPE}/${target.name}`

/** The reason why there is no addon to try, and the remedy. */
export function whyNone(): { reason: string; remedy: string } {
  if (packageFolder() === null) {
    const { message, remedy = '' } = noFolder()
    return { reason: message, remedy }
  }
  const target = targetHere()
  if (target === undefined)
    return {
      reason: `there is no prebuilt addon for ${process.platform} on ${process.arch}`,
      remedy: 'Compile one with `npx heed build`.',
    }
  if (records()[target.name] === undefined)
    return { reason: 'the native addon is not built', remedy: 'Run `npx heed build`.' }
  const exact = `${packageOf(target)}@${version}`
  return {
    reason: `the package ${exact} is not installed`,
    remedy: `Run \`npm install ${exact}\`, or compile the addon with \`npx heed build\`.`,
  }
}

/** Reads a JSON file. Returns an empty object if it does not exist. */
function readJson<T>(path: string): Partial<T> {
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) ?? {}
  } catch (error) {
    warn(`${path} cannot be read (${(error as Error).message}). Reinstall heed (\`npm install heed\`).`) // biome-ignore format: one line
    return {}
  }
}
