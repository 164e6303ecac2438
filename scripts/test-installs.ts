// Installs the packages with each package manager and runs an example:
//
//     npm run test:installs [-- --only pnpm]
//
// The packages of this checkout (with the addon of `npm run prebuild`, or else the addon compiled here) are served from the
// loopback interface. The package managers are installed from npm in build/managers. `cold` is the time of the first
// installation; `warm` is the time from an empty folder to a computed tensor with a full cache.
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../native/compile.mjs'
import { targetHere } from '../src/runtime/cpu/addon-places.ts'
import { serveRegistry } from './installs/registry.ts'
import { addonFor, stagePackages } from './installs/stage.ts'

interface Manager {
  name: string
  /** The package of the manager, and its program. */
  from: string
  program: string
  install: string[]
  /** What runs a file of the project; Node by default. */
  run?: string[]
  /** Files of the project, by name. */
  settings: (registry: string, cache: string) => Record<string, string>
}

const npmrc = (registry: string, cache: string) => ({
  '.npmrc': `registry=${registry}\ncache=${cache}\nstore-dir=${cache}\naudit=false\nfund=false\n`,
})
const yarnrc = (linker: string) => (registry: string, cache: string) => ({
  '.yarnrc.yml': [
    `npmRegistryServer: "${registry}"`,
    'unsafeHttpWhitelist: ["127.0.0.1"]',
    `globalFolder: "${cache}"`,
    `nodeLinker: ${linker}`,
    'enableTelemetry: false',
  ].join('\n'),
  'yarn.lock': '', // the project is its own, whatever lies above
})

const npm = { program: 'npm', install: ['install', 'heed', '--ignore-scripts'], settings: npmrc }
const yarn = { from: '@yarnpkg/cli-dist@4', program: 'yarn', install: ['add', 'heed'] }
const managers: Manager[] = [
  { name: 'npm 11', from: 'npm@11', ...npm },
  { name: 'npm 12', from: 'npm@12', ...npm },
  { name: 'pnpm', from: 'pnpm@10', program: 'pnpm', install: ['add', 'heed'], settings: npmrc },
  { name: 'Yarn 4, node_modules', ...yarn, settings: yarnrc('node-modules') },
  { name: 'Yarn 4, PnP', ...yarn, run: ['yarn', 'node'], settings: yarnrc('pnp') },
  {
    name: 'Yarn 1',
    from: 'yarn@1',
    program: 'yarn',
    install: ['add', 'heed', '--no-lockfile'],
    settings: (registry, cache) => ({ '.yarnrc': `registry "${registry}"\ncache-folder "${cache}"\n` }), // biome-ignore format: one line
  },
  {
    name: 'Bun',
    from: 'bun@1',
    program: 'bun',
    install: ['add', 'heed'],
    settings: (registry, cache) => ({ 'bunfig.toml': `[install]\nregistry = "${registry}"\ncache = "${cache}"\n` }), // biome-ignore format: one line
  },
  {
    name: 'Bun, run by Bun',
    from: 'bun@1',
    program: 'bun',
    install: ['add', 'heed'],
    run: ['bun'],
    settings: (registry, cache) => ({ 'bunfig.toml': `[install]\nregistry = "${registry}"\ncache = "${cache}"\n` }), // biome-ignore format: one line
  },
  {
    name: 'Deno, run by Deno',
    from: 'deno@2',
    program: 'deno',
    install: ['add', 'npm:heed'],
    run: ['deno', 'run', '-A'],
    settings: (registry) => ({ '.npmrc': `registry=${registry}\n`, 'deno.json': '{ "nodeModulesDir": "auto" }' }), // biome-ignore format: one line
  },
]

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })
const chosen = managers.filter(({ name }) => name.toLowerCase().includes((options.only ?? '').toLowerCase())) // biome-ignore format: one line
const execute = promisify(execFile)

const TENSOR = `import { tensor, defaultDevice } from 'heed'
const values = await tensor([1, 2, 3]).mul(2).tolist()
console.log(JSON.stringify({ values, device: defaultDevice().name }))`

async function main(): Promise<number> {
  const target = targetHere()
  const addon = target && addonFor(target)
  if (!addon) {
    console.log('The installations are not tested: there is no addon for this system.')
    return 0
  }
  const work = mkdtempSync(join(tmpdir(), 'heed-installs-'))
  const registry = await serveRegistry(stagePackages(addon, join(work, 'packages')))
  let failed = 0
  console.log(`With ${addon}\n\n${row(['', 'version', 'cold', 'warm', ''])}`)
  try {
    for (const manager of chosen) {
      const result = await tryManager(manager, registry.url, work).catch(
        (error: Error & { stderr?: string; stdout?: string }) => [
          'FAILED',
          '',
          '',
          `${error.message}\n${error.stdout ?? ''}`.slice(0, 2000),
        ],
      )
      if (result[0] === 'FAILED') failed++
      console.log(row([manager.name, ...result]))
    }
  } finally {
    registry.close()
    rmSync(work, { recursive: true, force: true })
  }
  console.log(`\n${chosen.length - failed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

/** Version, seconds with an empty and with a full cache, and remarks. */
async function tryManager(manager: Manager, registry: string, work: string): Promise<string[]> {
  const bin = await install(manager.from)
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    NO_COLOR: '1',
    HEED_ADDON: '',
    HEED_DEVICE: '',
    CI: '', // some managers refuse to write a lockfile there
    NPM_CONFIG_REGISTRY: registry,
    npm_config_registry: registry,
    DENO_DIR: join(work, `deno-${manager.name}`),
    NODE_OPTIONS: '',
  }
  const cache = join(work, `cache-${manager.name}`)
  const once = async (): Promise<{ seconds: number; device: string; project: string }> => {
    const project = mkdtempSync(join(work, 'project-'))
    const files = { 'package.json': '{ "name": "mine", "private": true, "type": "module" }', ...manager.settings(registry, cache) } // biome-ignore format: one line
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)
    writeFileSync(join(project, 'tensor.mjs'), TENSOR)
    copyFileSync(join(root, 'examples/readme.ts'), join(project, 'example.mjs'))
    const started = performance.now()
    await execute(manager.program, manager.install, { cwd: project, env })
    const [command, ...args] = manager.run ?? ['node']
    const { stdout } = await execute(command, [...args, 'tensor.mjs'], { cwd: project, env })
    const { values, device } = JSON.parse(stdout)
    if (String(values) !== '2,4,6') throw new Error(`the tensor is ${values}`)
    return { seconds: (performance.now() - started) / 1000, device, project }
  }
  const cold = await once()
  const warm = await once()
  const [command, ...args] = manager.run ?? ['node']
  const example = await execute(command, [...args, 'example.mjs'], { cwd: warm.project, env })
  if (!example.stdout.includes('Call me Ishmael.'))
    throw new Error(`the example wrote ${example.stdout}`)
  if (warm.device !== 'cpu') throw new Error(`it computes on ${warm.device}: ${example.stderr}`)
  const { stdout: version } = await execute(manager.program, ['--version'], { env, cwd: work })
  const addons = addonsIn(warm.project)
  return [
    version.trim().split('\n')[0],
    `${cold.seconds.toFixed(1)} s`,
    `${warm.seconds.toFixed(1)} s`,
    addons.length > 1 ? `installs ${addons.join(', ')}` : '',
  ]
}

function addonsIn(project: string): string[] {
  const folder = join(project, 'node_modules', '@heed')
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'wasm') : []
}

/** The folder of the manager's programs. */
async function install(from: string): Promise<string> {
  const folder = join(root, 'build', 'managers', from.replaceAll(/[^\w.]/g, '-'))
  if (!existsSync(join(folder, 'node_modules', '.bin'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    await execute('npm', ['install', from, '--no-audit', '--no-fund'], { cwd: folder })
  }
  return join(folder, 'node_modules', '.bin')
}

function row(cells: string[]): string {
  return cells.map((cell, i) => cell.padEnd([22, 12, 9, 9, 0][i])).join('')
}

process.exitCode = await main()
