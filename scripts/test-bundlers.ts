// Builds programs that bundle Heed with each bundler, and runs them:
//
//     npm run test:bundlers [-- --only esbuild,vite]
//
// The bundlers are installed in build/bundlers, from npm. A project uses the staged package of this checkout, with the
// addon compiled here as its prebuilt addon. Each program must use the addon if it is installed, WebAssembly otherwise, and
// print what to do if it finds no package of heed.
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { buildNative } from '../native/build.mjs'
import { root } from '../native/compile.mjs'
import { packageOf, targetHere } from '../src/runtime/cpu/addon-places.ts'
import { stagePackages } from './installs/stage.ts'

const TOOLS = {
  esbuild: '0.28.2',
  vite: '8.4.0',
  webpack: '5.113.0',
  'webpack-cli': '7.3.1',
  rolldown: '1.3.3',
  bun: '1.4.5',
  deno: '2.9.6',
}

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })

const folder = join(root, 'build', 'bundlers')
/** Outside of this checkout, because its package and tsconfig.json would be found. */
const outside = realpathSync(mkdtempSync(join(tmpdir(), 'heed-bundlers-')))
const project = join(outside, 'project')
const bin = (name: string): string => join(folder, 'node_modules', '.bin', name)
const run = promisify(execFile)

/** A copy, because Bun also searches for packages next to itself. */
const BUN = [join(outside, 'bun'), 'run']

interface Program {
  /** Name of the bundler and its format, for `--only`. */
  name: string
  /** Writes the bundle. */
  build?: readonly string[]
  /** Path in the project. */
  file: string
  /** The program that runs the file; empty if the file is executable. */
  runtime?: readonly string[]
  /** The code of Heed is not in the file. */
  external?: boolean
  browser?: boolean
}

const DENO = [bin('deno'), 'run', '-A', '--no-config', '--node-modules-dir=manual']

const esbuild = (file: string, ...more: string[]): string[] => [
  bin('esbuild'),
  'main.mjs',
  '--bundle',
  '--log-level=error',
  `--outfile=${file}`,
  ...more, // biome-ignore format: one line
]
const rolldown = (file: string, ...more: string[]): string[] => [
  bin('rolldown'),
  'main.mjs',
  '--logLevel',
  'silent',
  '--file',
  file,
  ...more, // biome-ignore format: one line
]
const configured = (tool: string, file: string): string[] => [
  bin(tool),
  ...(tool === 'vite' ? ['build'] : []),
  '--config',
  `${file}.config.mjs`, // biome-ignore format: one line
]

/** Vite and webpack read their settings from a file. */
const CONFIGS: Readonly<Record<string, string>> = {
  'vite.mjs': vite(`ssr: 'main.mjs'`, 'ssr: { noExternal: true }'),
  'vite-external.mjs': vite(`ssr: 'main.mjs'`, `ssr: { external: ['heed'] }`),
  'vite-browser.js': vite(
    `lib: { entry: 'main.mjs', formats: ['es'], fileName: () => 'vite-browser.js' }`,
  ),
  'webpack.cjs': webpack('webpack.cjs', `target: 'node'`),
  'webpack.mjs': webpack(
    'webpack.mjs',
    `target: 'node', experiments: { outputModule: true }`,
    `, module: true, chunkFormat: 'module'`,
  ),
  'webpack-external.mjs': webpack(
    'webpack-external.mjs',
    `target: 'node', experiments: { outputModule: true }, externals: { heed: 'module heed' }`,
    `, module: true, chunkFormat: 'module'`,
  ),
  'webpack-browser.js': webpack('webpack-browser.js', `target: 'web'`),
}

function vite(build: string, more = ''): string {
  return `export default { logLevel: 'error', build: { ${build}, outDir: 'out', emptyOutDir: false, copyPublicDir: false, rollupOptions: { output: { entryFileNames: '%FILE%', codeSplitting: false } } }, ${more} }`
}

function webpack(file: string, settings: string, output = ''): string {
  return `export default { mode: 'production', entry: './main.mjs', stats: 'errors-only', optimization: { minimize: false }, ${settings}, output: { path: import.meta.dirname + '/out', filename: '${file}'${output} } }`
}

const PROGRAMS: readonly Program[] = [
  { name: 'esbuild', file: 'out/esbuild.mjs', build: esbuild('out/esbuild.mjs', '--platform=node', '--format=esm', `--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`) }, // biome-ignore format: one line
  { name: 'esbuild cjs', file: 'out/esbuild.cjs', build: esbuild('out/esbuild.cjs', '--platform=node', '--format=cjs') }, // biome-ignore format: one line
  { name: 'esbuild external', file: 'out/esbuild-external.mjs', external: true, build: esbuild('out/esbuild-external.mjs', '--platform=node', '--format=esm', '--external:heed') }, // biome-ignore format: one line
  { name: 'esbuild browser', file: 'out/esbuild-browser.js', browser: true, build: esbuild('out/esbuild-browser.js') }, // biome-ignore format: one line
  { name: 'rolldown', file: 'out/rolldown.mjs', build: rolldown('out/rolldown.mjs', '--platform', 'node', '--format', 'esm', '--no-codeSplitting') }, // biome-ignore format: one line
  { name: 'rolldown cjs', file: 'out/rolldown.cjs', build: rolldown('out/rolldown.cjs', '--platform', 'node', '--format', 'cjs', '--no-codeSplitting') }, // biome-ignore format: one line
  { name: 'rolldown external', file: 'out/rolldown-external.mjs', external: true, build: rolldown('out/rolldown-external.mjs', '--platform', 'node', '--external', 'heed') }, // biome-ignore format: one line
  { name: 'rolldown browser', file: 'out/rolldown-browser.js', browser: true, build: rolldown('out/rolldown-browser.js', '--platform', 'browser') }, // biome-ignore format: one line
  { name: 'vite', file: 'out/vite.mjs', build: configured('vite', 'vite.mjs') },
  { name: 'vite external', file: 'out/vite-external.mjs', external: true, build: configured('vite', 'vite-external.mjs') }, // biome-ignore format: one line
  { name: 'vite browser', file: 'out/vite-browser.js', browser: true, build: configured('vite', 'vite-browser.js') }, // biome-ignore format: one line
  { name: 'webpack cjs', file: 'out/webpack.cjs', build: configured('webpack', 'webpack.cjs') },
  { name: 'webpack', file: 'out/webpack.mjs', build: configured('webpack', 'webpack.mjs') },
  { name: 'webpack external', file: 'out/webpack-external.mjs', external: true, build: configured('webpack', 'webpack-external.mjs') }, // biome-ignore format: one line
  { name: 'webpack browser', file: 'out/webpack-browser.js', browser: true, build: configured('webpack', 'webpack-browser.js') }, // biome-ignore format: one line
  { name: 'bun, no bundle', file: 'main.mjs', external: true, runtime: BUN },
  { name: 'bun for node', file: 'out/bun-node.mjs', build: [bin('bun'), 'build', 'main.mjs', '--target=node', '--outfile=out/bun-node.mjs'] }, // biome-ignore format: one line
  { name: 'bun for bun', file: 'out/bun.mjs', runtime: BUN, build: [bin('bun'), 'build', 'main.mjs', '--target=bun', '--outfile=out/bun.mjs'] }, // biome-ignore format: one line
  { name: 'bun cjs', file: 'out/bun.cjs', build: [bin('bun'), 'build', 'main.mjs', '--target=node', '--format=cjs', '--outfile=out/bun.cjs'] }, // biome-ignore format: one line
  { name: 'bun external', file: 'out/bun-external.mjs', external: true, runtime: BUN, build: [bin('bun'), 'build', 'main.mjs', '--target=bun', '--external', 'heed', '--outfile=out/bun-external.mjs'] }, // biome-ignore format: one line
  { name: 'bun compiled', file: 'out/bun-compiled', runtime: [], build: [bin('bun'), 'build', 'main.mjs', '--compile', '--outfile=out/bun-compiled'] }, // biome-ignore format: one line
  { name: 'bun browser', file: 'out/bun-browser.js', browser: true, build: [bin('bun'), 'build', 'main.mjs', '--target=browser', '--outfile=out/bun-browser.js'] }, // biome-ignore format: one line
  { name: 'deno, no bundle', file: 'main.mjs', external: true, runtime: DENO },
  { name: 'deno', file: 'out/deno.mjs', runtime: DENO, build: [bin('deno'), 'bundle', '--quiet', '--node-modules-dir=manual', '--output', 'out/deno.mjs', 'main.mjs'] }, // biome-ignore format: one line
  { name: 'deno external', file: 'out/deno-external.mjs', external: true, runtime: DENO, build: [bin('deno'), 'bundle', '--quiet', '--node-modules-dir=manual', '--external', 'heed', '--output', 'out/deno-external.mjs', 'main.mjs'] }, // biome-ignore format: one line
  { name: 'deno browser', file: 'out/deno-browser.js', browser: true, runtime: DENO, build: [bin('deno'), 'bundle', '--quiet', '--node-modules-dir=manual', '--platform', 'browser', '--output', 'out/deno-browser.js', 'main.mjs'] }, // biome-ignore format: one line
]

const MAIN = `import { defaultDevice, tensor } from 'heed'
console.log('imported')
async function main() {
  const a = tensor([[1, 2], [3, 4]])
  const values = [...(await a.matmul(a).data())]
  console.log(JSON.stringify({ device: defaultDevice().name, values }))
}
main()
`
const VALUES = [7, 10, 15, 22]

interface Outcome {
  device?: string
  values?: number[]
  /** What was written besides. */
  text: string
}

async function main(): Promise<number> {
  const target = targetHere()
  const built = await buildNative()
  if (!target || !built.ok) throw new Error(`no addon for this machine: ${built.reason}`)
  installTools()
  copyFileSync(realpathSync(bin('bun')), BUN[0])
  const addonPackage = stage(built.path)
  const results: { name: string; check: string; problem: string | null }[] = []
  const only = options.only?.split(',') ?? ['']
  for (const program of PROGRAMS.filter(({ name }) => only.some((part) => name.includes(part)))) {
    const check = async (what: string, work: () => Promise<string | null>): Promise<void> => {
      const problem = await work().catch((error) =>
        [error.stdout, error.stderr, error.message].filter(Boolean).join('\n'),
      )
      results.push({ name: program.name, check: what, problem })
      console.log(`${problem === null ? '✓' : '✗'} ${program.name.padEnd(20)} ${what}${problem === null ? '' : `\n    ${problem.trim().split('\n').slice(0, 12).join('\n    ')}`}`) // biome-ignore format: one line
    }
    await check('is built', () => build(program))
    if (results.at(-1)?.problem !== null) continue
    if (program.browser) {
      await check('says that there is no browser build', () => saysNoBrowser(program))
      continue
    }
    await check('uses the addon', () => uses(program, 'cpu'))
    const hidden = `${addonPackage}.hidden`
    renameSync(addonPackage, hidden)
    try {
      await check('uses WebAssembly without the addon', () =>
        uses(program, 'wasm', `${packageOf(target)}@`),
      )
    } finally {
      renameSync(hidden, addonPackage)
    }
    if (!program.external) await check('alone, it says what to do', () => alone(program))
  }
  if (only.includes('') || only.includes('asar')) {
    const problem = await asar(addonPackage)
    results.push({ name: 'asar', check: 'uses the unpacked addon', problem })
    console.log(`${problem === null ? '✓' : `✗ ${problem}`} asar: uses the unpacked addon`)
  }
  const failed = results.filter(({ problem }) => problem !== null).length
  console.log(`${results.length - failed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

function installTools(): void {
  const manifest = `${JSON.stringify({ private: true, dependencies: TOOLS }, null, 2)}\n`
  const path = join(folder, 'package.json')
  if (existsSync(path) && readFileSync(path, 'utf8') === manifest) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, manifest)
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}

/** A project with heed and its addon in node_modules. Returns the folder of the addon's package. */
function stage(addon: string): string {
  const target = targetHere()
  if (!target) throw new Error('no target')
  const packages = join(outside, 'packages')
  const [heed] = stagePackages(addon, packages)
  const modules = join(project, 'node_modules')
  const addonPackage = join(modules, packageOf(target))
  mkdirSync(dirname(addonPackage), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && name !== 'heed' && !existsSync(join(modules, name)))
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
  cpSync(heed, join(modules, 'heed'), { recursive: true })
  cpSync(join(packages, target.name), addonPackage, { recursive: true })
  cpSync(join(packages, 'wasm'), join(dirname(addonPackage), 'wasm'), { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "type": "module" }')
  writeFileSync(join(project, 'main.mjs'), MAIN)
  for (const [file, text] of Object.entries(CONFIGS))
    writeFileSync(join(project, `${file}.config.mjs`), text.replace('%FILE%', file))
  return addonPackage
}

/** The environment, without settings of the user. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('HEED_')),
)

async function build({ build: command, file }: Program): Promise<string | null> {
  if (!command) return null
  const [tool, ...args] = command
  await run(tool, args, { cwd: project, env, maxBuffer: 64 << 20 })
  return existsSync(join(project, file)) ? null : `${file} was not written`
}

async function start(file: string, { runtime = [process.execPath] }: Program): Promise<Outcome> {
  const [tool, ...args] = [...runtime, file]
  const settle = { cwd: dirname(file), env, maxBuffer: 64 << 20, timeout: 120_000 }
  const { stdout, stderr } = await run(tool, args, settle).catch((error) => error)
  const line = /^\{"device".*\}$/m.exec(stdout)?.[0]
  return { ...(line && JSON.parse(line)), text: `${stdout}${stderr}` }
}

async function uses(program: Program, device: string, saying = ''): Promise<string | null> {
  const outcome = await start(join(project, program.file), program)
  const right = outcome.device === device && String(outcome.values) === String(VALUES)
  const said = outcome.text.includes(saying)
  const noisy = saying === '' && /heed/.test(outcome.text)
  return right && said && !noisy ? null : outcome.text
}

/** Runs the program in a folder from which no package of heed is found. */
async function alone(program: Program): Promise<string | null> {
  const place = mkdtempSync(join(outside, 'alone-'))
  const hidden = `${project}.hidden`
  try {
    cpSync(join(project, program.file), join(place, basename(program.file)))
    renameSync(project, hidden) // some bundlers record the path of a file
    const { text, device } = await start(join(place, basename(program.file)), program)
    const wanted = ['imported', 'leave heed out of the bundle', '--external:heed']
    const right = device === undefined && wanted.every((part) => text.includes(part))
    return right ? null : text
  } finally {
    if (existsSync(hidden)) renameSync(hidden, project)
  }
}

async function saysNoBrowser(program: Program): Promise<string | null> {
  const { text } = await start(join(project, program.file), program)
  return text.includes('heed runs in Node, Bun and Deno; a build for browsers does not exist yet')
    ? null
    : text
}

/** As in Electron: the program is in app.asar, and files that the system opens are in the folder next to it. */
async function asar(addonPackage: string): Promise<string | null> {
  const [packed, unpacked] = ['app.asar', 'app.asar.unpacked'].map((name) => join(outside, name))
  const within = addonPackage.slice(project.length)
  cpSync(project, packed, { recursive: true, verbatimSymlinks: true })
  cpSync(addonPackage, join(unpacked, within), { recursive: true })
  rmSync(join(packed, within, 'heed.node'))
  const outcome = await start(join(packed, 'main.mjs'), { name: 'asar', file: 'main.mjs' })
  return outcome.device === 'cpu' && !outcome.text.includes('heed:') ? null : outcome.text
}

process.exitCode = await main().finally(() => rmSync(outside, { recursive: true, force: true }))
