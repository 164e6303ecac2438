// Builds the native addons of all systems on one machine, and all packages to publish, in build/packages:
//
//   npm run prebuild [-- --only linux-x64-gnu,win32-x64] [-- --force] [-- --verify]
//
// The compiler is a fixed version of zig (scripts/prebuild/zig.ts). Builds are reproducible: the same sources give the
// same bytes in any folder; --verify builds each target a second time, from a copy in another folder, and compares. The
// first run takes several minutes; unchanged targets are not built again. Each addon is checked before its package is
// written (scripts/prebuild/check.ts).
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { execute, root } from '../native/compile.mjs'
import { targets } from '../src/runtime/cpu/targets.ts'
import { buildAddon, isReproduced, keyOf } from './prebuild/build.ts'
import { problemsOf } from './prebuild/check.ts'
import {
  packages,
  recordOf,
  writeAddonPackage,
  writeMainPackage,
  writeWasmPackage,
} from './prebuild/package.ts'
import { findZig } from './prebuild/zig.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    force: { type: 'boolean', default: false },
    verify: { type: 'boolean', default: false },
  },
})

const folder = join(root, 'build', 'prebuilt')
const RECORD = join(folder, 'prebuilt.json')

/** By the name of the target; the published build holds it (see tsdown.config.ts). */
type Records = Record<string, { key: string; bytes: number; sha256: string }>

async function main(): Promise<number> {
  const names = options.only?.split(',') ?? targets.map(({ name }) => name)
  const strange = names.find((name) => !targets.some((target) => target.name === name))
  if (strange !== undefined) {
    console.error(`--only must name targets (${targets.map(({ name }) => name).join(', ')}), got ${strange}`) // biome-ignore format: one line
    return 2
  }
  mkdirSync(folder, { recursive: true })
  const zig = findZig()
  for (const target of targets.filter(({ name }) => names.includes(name))) {
    const started = performance.now()
    const known = records()[target.name]?.key
    const built = await buildAddon(target, zig, { known, force: options.force })
    const bytes = readFileSync(built.path)
    const problems = problemsOf(bytes, target)
    if (options.verify && !(await isReproduced(target, zig, bytes)))
      problems.push('a copy of the sources in another folder gives other bytes')
    if (problems.length > 0) {
      rmSync(built.path)
      console.error(`${target.name}: ${problems.join('; ')}`)
      return 1
    }
    const { sha256 } = recordOf(bytes)
    record({ [target.name]: { key: built.key, bytes: bytes.length, sha256 } })
    writeAddonPackage(target, built.path, packages, join(dirname(zig), 'lib'))
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    const how = options.verify ? `same bytes twice, ${seconds} s` : built.isNew ? `built in ${seconds} s` : 'unchanged' // biome-ignore format: one line
    console.log(`${target.name.padEnd(18)} ${how.padEnd(14)} ${(bytes.length / 1e6).toFixed(1)} MB  ${sha256.slice(0, 16)}`) // biome-ignore format: one line
  }
  await execute(['npx', 'tsdown', '--logLevel', 'error'])
  writeWasmPackage(packages)
  // An addon of earlier sources is not published with these.
  const current = targets.filter((target) => records()[target.name]?.key === keyOf(target, zig))
  writeMainPackage(Object.fromEntries(current.map(({ name }) => [name, records()[name]])), packages)
  const missing = targets.filter((target) => !current.includes(target))
  if (missing.length > 0) console.log(`heed is not complete: build ${missing.map(({ name }) => name).join(', ')} too`) // biome-ignore format: one line
  return 0
}

function records(): Records {
  return existsSync(RECORD) ? JSON.parse(readFileSync(RECORD, 'utf8')) : {}
}

function record(more: Records): void {
  writeFileSync(RECORD, `${JSON.stringify({ ...records(), ...more }, null, 2)}\n`)
}

await main().then(
  (code) => {
    process.exitCode = code
  },
  (error: Error & { detail?: string }) => {
    console.error(error.detail ?? error.message)
    process.exitCode = 1
  },
)
