// Runs the tests of all devices on the kernels compiled for 64-bit Arm, under qemu:
//
//     npm run test:neon [arguments of vitest]
//
// It requires the Debian packages g++-aarch64-linux-gnu and qemu-user; without them, it prints a message and succeeds.
// Warnings are errors.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { commonFlags, kernelFlags } from '../native/compile.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'native', 'build', 'neon')
const compiler = 'aarch64-linux-gnu-g++'
const emulator = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'] // the libraries of the compiler

/** Everything that runs on each device. */
const suites = 'contract generate grad models nn optim parity tensor'.split(' ')

const missing = [compiler, emulator[0]].filter((name) => spawnSync(name, ['--version']).error)
if (missing.length > 0)
  console.log(
    `NEON is not tested: no ${missing.join(', no ')} (Debian: g++-aarch64-linux-gnu, qemu-user)`,
  )
else {
  const server = [...emulator, await buildServer()].join(' ')
  const env = { ...process.env, HEED_KERNEL_SERVER: server }
  const chosen = process.argv.slice(2)
  const args = chosen.length > 0 ? chosen : suites.map((name) => `test/${name}/`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}

/** The path of the program that serves the kernels (see test/native/kernel-server.cc). */
async function buildServer(): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const kernels = readdirSync(join(root, 'kernels/cpp')).filter((name) => name.endsWith('.cc'))
  const sources = [
    ...kernels.sort().map((name) => `kernels/cpp/${name}`), // isa.cc, the longest, among the first
    ...['engine', 'memory', 'posix/pages', 'posix/host'].map((name) => `native/${name}.cc`),
    'test/native/kernel-server.cc',
  ]
  const objects = sources.map((source) => join(folder, `${basename(source)}.o`))
  await Promise.all(sources.map((source, i) => compile(source, objects[i])))
  const server = join(folder, 'kernel-server')
  await run(compiler, [...objects, '-o', server, '-pthread', '-ldl'])
  return server
}

function compile(source: string, object: string): Promise<unknown> {
  const optimised = source.endsWith('isa.cc') ? kernelFlags : ['-O2']
  const names = ['-DHEED_ISA=neon', '-DHEED_ISAS=X(neon)']
  const places = ['-iquotekernels/cpp', '-iquotenative']
  const flags = [...commonFlags, '-Werror', ...optimised, ...names, ...places]
  return run(compiler, [...flags, '-c', source, '-o', object])
}

async function run(command: string, args: string[]): Promise<void> {
  const { stderr } = await promisify(execFile)(command, args, { cwd: root })
  if (stderr) console.log(stderr)
}
