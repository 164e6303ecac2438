// A project with heed in its node_modules, as npm installs it: the build, and the package of the addon.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import { packageOf, RECORDS, targetHere } from '../../src/runtime/cpu/addon-places.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

export interface InstalledHeed {
  /** The project's folder. */
  readonly project: string
  /** That of heed in it. */
  readonly heed: string
  /** That of the package of the addon. */
  readonly addonPackage: string
  /** Its file. */
  readonly addonFile: string
}

const ENTRIES = {
  index: 'src/index.ts',
  cli: 'src/cli/main.ts',
  tokenizers: 'src/tokenizers/index.ts',
  worker: 'src/runtime/wasm/worker.js',
  'encode-worker': 'src/train/encode-worker.js',
  // What tests of an installation ask, besides what the package exports.
  addon: 'src/runtime/cpu/addon.ts',
  threads: 'src/train/encoding/encode-texts.ts',
}

/** @param addon the file of an addon, which becomes the prebuilt one */
export async function installHeed(
  project: string,
  addon: string,
  version: string = manifest.version,
): Promise<InstalledHeed> {
  const modules = join(project, 'node_modules')
  const heed = join(modules, 'heed')
  mkdirSync(heed, { recursive: true })
  linkPackages(modules)
  await build({
    cwd: root,
    input: ENTRIES,
    platform: 'node',
    external: (id) => !/^[./]/.test(id) && !ownEntry(id),
    transform: { define: { HEED_VERSION: JSON.stringify(version) } },
    output: { dir: join(heed, 'dist'), format: 'esm' },
    logLevel: 'silent',
  })
  for (const isa of ['relaxed', 'simd128'])
    copyFileSync(join(root, `src/runtime/wasm/${isa}.wasm`), join(heed, `dist/${isa}.wasm`))
  copyFileSync(join(root, 'src/browser.cjs'), join(heed, 'dist/browser.cjs'))
  const { name, type, exports } = manifest
  const own = { './addon': './dist/addon.js', './threads': './dist/threads.js' }
  writeJson(join(heed, 'package.json'), { name, version, type, exports: { ...exports, ...own } })
  writeJson(join(project, 'package.json'), { name: 'project', type: 'module' })
  return { project, heed, ...installAddon(modules, heed, addon, version) }
}

const ownEntry = (id: string): boolean => Object.values(ENTRIES).includes(id)

function installAddon(modules: string, heed: string, addon: string, version: string) {
  const target = targetHere()
  if (!target) throw new Error('there is no prebuilt addon for this system')
  const addonPackage = join(modules, packageOf(target))
  const addonFile = join(addonPackage, 'heed.node')
  mkdirSync(addonPackage, { recursive: true })
  copyFileSync(addon, addonFile)
  writeJson(join(addonPackage, 'package.json'), { name: packageOf(target), version })
  writeJson(join(heed, RECORDS), { [target.name]: recordOf(addon) })
  return { addonPackage, addonFile }
}

/** The packages on which heed depends are those of this checkout: tests are offline. */
function linkPackages(modules: string): void {
  mkdirSync(dirname(join(modules, '.')), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && name !== 'heed')
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
}

export function recordOf(path: string): { bytes: number; sha256: string } {
  const bytes = readFileSync(path)
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

export function writeJson(path: string, value: object): void {
  writeFileSync(path, JSON.stringify(value))
}
