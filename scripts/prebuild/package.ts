// Writes the packages to publish: `heed`, its WebAssembly, and one package with the native addon of each system.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { dirname, join } from 'node:path'
import { root } from '../../native/compile.mjs'
import type { AddonRecord } from '../../src/runtime/cpu/addon-file.ts'
import { packageOf, RECORDS } from '../../src/runtime/cpu/addon-places.ts'
import { type Target, targets } from '../../src/runtime/cpu/targets.ts'
import { SCOPE } from '../../src/util/package-folder.ts'
import { licencesOfAddon, licencesOfMain, licencesOfWasm } from './licences.ts'

export const packages = join(root, 'build', 'packages')

/** The list of third-party software in a package. */
const LICENCES = 'LICENSES.md'

/** Fields of package.json that are only useful in a checkout. */
const DEVELOPERS = ['scripts', 'devDependencies']

/**
 * Writes the package of an addon. Package managers install the package whose `os`, `cpu` and `libc` match.
 * @param into the folder that holds the packages
 * @param zigLibraries zig's folder `lib`, which has the notices of what is linked into the addon
 * @returns the folder of the package
 */
export function writeAddonPackage(
  target: Target,
  addon: string,
  into: string,
  zigLibraries?: string,
): string {
  const folder = writeCompanion(join(into, target.name), {
    name: packageOf(target),
    description: `The native addon of heed for ${target.name}.`,
    os: [target.os],
    cpu: [target.cpu],
    ...(target.libc && { libc: [target.libc] }),
    main: 'heed.node',
    files: ['heed.node', LICENCES],
    preferUnplugged: true, // the system opens the file itself, which it cannot do inside an archive
  })
  writeFileSync(join(folder, LICENCES), licencesOfAddon(target, zigLibraries))
  copyFileSync(addon, join(folder, 'heed.node'))
  return folder
}

/** The package of the WebAssembly, on which `heed` depends everywhere: it is a third of the bytes. */
export function writeWasmPackage(into: string): string {
  const source = join(root, 'src', 'runtime', 'wasm')
  const files = readdirSync(source).filter((name) => name.endsWith('.wasm'))
  const folder = writeCompanion(join(into, 'wasm'), {
    name: `${SCOPE}/wasm`,
    description: 'The kernels of heed as WebAssembly.',
    files: [...files, LICENCES],
  })
  writeFileSync(join(folder, LICENCES), licencesOfWasm())
  for (const file of files) copyFileSync(join(source, file), join(folder, file))
  return folder
}

/** A package that belongs to `heed` and has its version. */
function writeCompanion(
  folder: string,
  fields: { name: string; description: string } & Record<string, unknown>,
): string {
  const { version, license, repository, homepage, bugs, engines } = manifestOfCheckout()
  const { name, description } = fields
  emptyFolder(folder)
  writeJson(join(folder, 'package.json'), {
    ...{ name, version, license, repository, homepage, bugs, engines },
    ...fields,
  })
  const readme = `# ${name}\n\n${description} Install [heed](https://www.npmjs.com/package/heed), which brings it.\n`
  writeFileSync(join(folder, 'README.md'), readme)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  return folder
}

/**
 * Writes the package `heed`: the files of the checkout without its scripts and WebAssembly, with the other packages as
 * dependencies of exactly this version, and with the sizes and hashes of the addons. Packages of other addons, which
 * are of earlier sources, are removed. `dist` must be built.
 * @param records by the name of the target
 * @returns the folder of the package
 */
export function writeMainPackage(
  records: Readonly<Record<string, AddonRecord>>,
  into: string,
): string {
  const folder = emptyFolder(join(into, 'heed'))
  const manifest = manifestOfCheckout()
  for (const file of packedFiles().filter((path) => !path.endsWith('.wasm'))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    copyFileSync(join(root, file), join(folder, file))
  }
  writeFileSync(join(folder, LICENCES), licencesOfMain())
  const addons = targets.filter(({ name }) => Object.hasOwn(records, name))
  for (const { name } of targets.filter((target) => !addons.includes(target)))
    rmSync(join(into, name), { recursive: true, force: true })
  writeJson(join(folder, RECORDS), Object.fromEntries(addons.map(({ name }) => [name, pick(records[name])]))) // biome-ignore format: one line
  for (const field of DEVELOPERS) delete manifest[field]
  writeJson(join(folder, 'package.json'), {
    ...manifest,
    files: [...manifest.files, RECORDS, LICENCES],
    dependencies: { ...manifest.dependencies, [`${SCOPE}/wasm`]: manifest.version },
    optionalDependencies: Object.fromEntries(addons.map((it) => [packageOf(it), manifest.version])),
  })
  return folder
}

/** The size and the hash of an addon, which the main package contains. */
export const recordOf = (bytes: Buffer): Required<AddonRecord> => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
})

const pick = ({ bytes, sha256 }: AddonRecord): AddonRecord => ({ bytes, sha256 })

function manifestOfCheckout() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

/** The files of the checkout that npm would pack. */
function packedFiles(): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const shell = process.platform === 'win32' // where npm is a batch file
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', shell }))
  return packed.files.map(({ path }: { path: string }) => path)
}

function emptyFolder(folder: string): string {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
