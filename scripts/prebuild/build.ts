// One addon from the sources of a checkout: this one, or a copy of it in another folder, which must give the same bytes.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as own from '../../native/compile.mjs'
import type { Target } from '../../src/runtime/cpu/targets.ts'
import { ENTRY_POINTS } from './check.ts'
import { zigCompiler } from './zig.ts'

/** Where addons lie, in each checkout. */
const FOLDER = join('build', 'prebuilt')

export interface Built {
  path: string
  /** A hash of the sources and flags. */
  key: string
  isNew: boolean
}

/**
 * @param known the key of the addon that is there: it is built again if the key has changed
 * @param checkout the module native/compile.mjs of the checkout
 */
export async function buildAddon(
  target: Target,
  zig: string,
  { known, force = false }: { known?: string; force?: boolean } = {},
  checkout: typeof own = own,
): Promise<Built> {
  const { compileUnits, execute } = checkout
  const { compiler, units, flags, key, folder } = planOf(target, zig, checkout)
  const path = join(folder, `${target.name}.node`)
  if (!force && existsSync(path) && known === key) return { path, key, isNew: false }
  const objects = await compileUnits(compiler, units, join(folder, target.name), {
    force,
    log: () => {},
    done: ({ name }) => process.stdout.isTTY && console.log(`  ${target.name}: ${name}`),
  })
  // An addon for macOS holds the name of the file that the linker wrote (in its signature), which must always be the same.
  const fresh = mkdtempSync(`${path}-`)
  try {
    const addon = join(fresh, 'heed.node')
    await execute([...compiler.command, ...objects, '-o', addon, ...flags], compiler.env)
    if (target.os === 'win32') withoutTime(addon)
    renameSync(addon, path)
  } finally {
    rmSync(fresh, { recursive: true })
  }
  return { path, key, isNew: true }
}

/** Removes the time of the build from the header of a library for Windows; zig has no option for that. */
function withoutTime(path: string): void {
  const bytes = readFileSync(path)
  bytes.writeUInt32LE(0, bytes.readUInt32LE(0x3c) + 8) // TimeDateStamp of the COFF header
  writeFileSync(path, bytes)
}

/** Identifies the sources, flags and compiler of an addon. */
export const keyOf = (target: Target, zig: string): string => planOf(target, zig, own).key

function planOf(target: Target, zig: string, { hash, listUnits, root }: typeof own) {
  const folder = join(root, FOLDER)
  mkdirSync(folder, { recursive: true })
  const compiler = zigCompiler(zig, target.zig, join(root, 'build', 'zig-cache'))
  const units = listUnits(compiler, target.cpu, target.os === 'win32')
  const flags = linkFlags(target, root)
  return { compiler, units, flags, key: hash([...units.map((unit) => unit.key), ...flags]), folder }
}

/** Whether a copy of the sources in another folder, with caches of its own, gives these bytes. */
export async function isReproduced(target: Target, zig: string, bytes: Buffer): Promise<boolean> {
  const copy = mkdtempSync(join(tmpdir(), 'heed-checkout-'))
  try {
    const headers = join('node_modules', 'node-api-headers')
    for (const name of ['package.json', 'kernels', 'native', headers])
      cpSync(join(own.root, name), join(copy, name), {
        recursive: true,
        filter: (path) => path !== join(own.root, 'native', 'build'),
      })
    const checkout = await import(pathToFileURL(join(copy, 'native', 'compile.mjs')).href)
    const { path } = await buildAddon(target, zig, {}, checkout)
    return readFileSync(path).equals(bytes)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function linkFlags({ os }: Target, root: string): string[] {
  if (os === 'darwin')
    return [
      '-s',
      '-dynamiclib',
      '-undefined',
      'dynamic_lookup',
      '-install_name',
      '@rpath/heed.node',
    ]
  if (os === 'win32') return ['-s', '-shared']
  const script = join(FOLDER, 'exports.map')
  const entries = ENTRY_POINTS.map((name) => `${name};`).join(' ')
  writeFileSync(join(root, script), `{ global: ${entries} local: *; };\n`)
  return ['-s', '-shared', '-Wl,-Bsymbolic', `-Wl,--version-script=${script}`]
}
