// Builds the native addon with plain compiler calls: `node native/build.mjs [--verbose] [--force]`,
// or buildNative(). Runs when the package is installed, so it is plain JavaScript and needs nothing
// but a C++ compiler; without one Heed runs on WebAssembly, slower.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sourceTokens } from './source-tokens.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const output = join(root, 'native', 'build')
const kernels = join(root, 'kernels', 'cpp')
const native = join(root, 'native')
const objects = join(output, 'objects')
const target = join(output, 'heed.node')
const record = join(output, 'heed.json')

// Best first: the first one that the processor supports is the one that is used.
const isas = {
  x64: [
    ['avx512', '-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512'],
    ['avx2', '-mavx2 -mfma'],
    ['baseline', '-march=x86-64'],
  ],
  arm64: [['neon', '']],
}[process.arch] ?? [['baseline', '']]

export const commonFlags = words(
  '-std=c++17 -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti -pthread -Wall -Wextra',
)
const addonFlags = words('-O2 -DNAPI_VERSION=8')
export const kernelFlags = words('-O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math')
const linkFlags = words(
  process.platform === 'darwin'
    ? '-bundle -undefined dynamic_lookup'
    : '-shared -pthread -ldl -Wl,-Bsymbolic',
)

/**
 * Resolves to { ok, reason, detail, path, seconds }: `reason` says in a line why there is no addon,
 * `detail` is what the compiler said, `seconds` is 0 when the addon was up to date. Never rejects.
 */
export async function buildNative({ verbose = false, force = false } = {}) {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const log = verbose ? (line) => console.log(line) : () => {}
  try {
    const built = await build(force, log)
    return { ok: true, reason: '', detail: '', path: target, seconds: built ? elapsed() : 0 }
  } catch (error) {
    const { message, detail = '' } = error
    return { ok: false, reason: message, detail, path: target, seconds: elapsed() }
  }
}

// Whether there was anything to do.
async function build(force, log) {
  if (process.platform === 'win32') throw new Error('the native addon is not built on Windows yet')
  const compiler = await findCompiler()
  log(`compiler: ${compiler.command.join(' ')} (${compiler.version})`)
  const units = listUnits(compiler)
  const key = hash([...units.map((unit) => unit.key), ...linkFlags])
  const upToDate = () => !force && existsSync(target) && readRecord().key === key
  if (upToDate()) return false
  return whenAlone(async () => {
    if (upToDate()) return false
    await compileAll(compiler, units, force, log)
    await link(compiler, units, log)
    writeFileSync(record, `${JSON.stringify({ key, compiler: compiler.version }, null, 2)}\n`)
    return true
  })
}

// Test runners ask from several processes at once: the first builds, the others wait for it.
async function whenAlone(work) {
  const lock = join(output, 'lock')
  mkdirSync(output, { recursive: true })
  while (!take(lock)) await sleep(200)
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (!isHeld(lock)) rmSync(lock, { force: true })
  return false
}

// A process that was killed leaves its lock behind.
function isHeld(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > 15 * 60_000) return false
    process.kill(Number(readFileSync(lock, 'utf8')) || process.pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

async function findCompiler() {
  const plain =
    process.platform === 'darwin' ? ['clang++', 'g++', 'c++'] : ['g++', 'clang++', 'c++']
  const candidates = process.env.CXX ? [process.env.CXX] : plain
  for (const candidate of candidates) {
    const command = words(candidate)
    try {
      const answer = await execute([...command, '--version'])
      return { command, version: answer.split('\n')[0].trim() }
    } catch {
      // the next one may be there
    }
  }
  throw new Error(
    process.env.CXX
      ? `the C++ compiler that CXX names (${process.env.CXX}) does not run`
      : `no C++ compiler was found (looked for ${plain.join(', ')}; CXX can name another)`,
  )
}

// What to compile, in the order of linking, the plainest first: where units share an inline
// function, the linker keeps the first, and a processor without AVX must never meet one that was
// compiled with it.
function listUnits(compiler) {
  const include = createRequire(import.meta.url)('node-api-headers').include_dir
  // -iquote and not -I: a header of ours has the name of a system header, <math.h>.
  const places = [`-iquote${kernels}`, `-iquote${native}`, `-isystem${include}`]
  const shared = [...commonFlags, ...places]
  const sources = [...sourcesIn(kernels), ...sourcesIn(native)].filter(
    (path) => !path.endsWith('isa.cc'),
  )
  const defines = `-DHEED_ISAS=${isas.map(([name]) => `X(${name})`).join(' ')}`
  const plain = sources.map((source) => ({
    name: relative(root, source).replace(/[/\\]/g, '-'),
    source,
    flags: [...shared, ...addonFlags, ...(source.endsWith('isas.cc') ? [defines] : [])],
  }))
  const perIsa = [...isas].reverse().map(([name, flags]) => ({
    name: `isa-${name}`,
    source: join(kernels, 'isa.cc'),
    flags: [...shared, ...kernelFlags, `-DHEED_ISA=${name}`, ...words(flags)],
  }))
  return [...plain, ...perIsa].map((unit) => {
    const text = withIncludes(unit.source).map(tokensOf)
    const flags = unit.flags.map((flag) => flag.replace(root, '')) // a package may be moved
    const key = hash([compiler.version, ...flags, ...text])
    return { ...unit, key, object: join(objects, `${unit.name}-${key.slice(0, 16)}.o`) }
  })
}

const known = new Map()

function tokensOf(path) {
  if (!known.has(path)) known.set(path, sourceTokens(readFileSync(path, 'utf8')))
  return known.get(path)
}

// A source file and all of our own headers that it includes.
function withIncludes(source, seen = new Set()) {
  if (seen.has(source)) return []
  seen.add(source)
  for (const [, name] of readFileSync(source, 'utf8').matchAll(/^\s*#include "([^"]+)"/gm)) {
    const path = [dirname(source), kernels, native]
      .map((folder) => join(folder, name))
      .find(existsSync)
    if (path) withIncludes(path, seen)
  }
  return [...seen]
}

async function link(compiler, units, log) {
  const fresh = join(output, `heed-${process.pid}.node`)
  try {
    await execute([
      ...compiler.command,
      ...units.map((unit) => unit.object),
      '-o',
      fresh,
      ...linkFlags,
    ])
    log(`loads: ${await tryLoading(fresh)}`)
    renameSync(fresh, target) // at once, so that nobody ever loads half an addon
  } finally {
    rmSync(fresh, { force: true })
  }
}

async function compileAll(compiler, units, force, log) {
  mkdirSync(objects, { recursive: true })
  await inParallel(units, (unit) => compile(compiler, unit, force, log))
  const current = new Set(units.map((unit) => unit.object))
  for (const name of readdirSync(objects)) {
    const path = join(objects, name)
    if (!current.has(path)) rmSync(path, { force: true })
  }
}

async function compile(compiler, unit, force, log) {
  if (!force && existsSync(unit.object)) return
  const started = performance.now()
  const fresh = `${unit.object}.${process.pid}`
  const warnings = await execute([
    ...compiler.command,
    ...unit.flags,
    '-c',
    unit.source,
    '-o',
    fresh,
  ])
  renameSync(fresh, unit.object)
  log(`${unit.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  if (warnings) log(warnings)
}

// In a process of its own: an addon that crashes must not take the installation with it.
function tryLoading(path) {
  const script =
    'const addon = require(process.argv[1]);' +
    'console.log(addon.isas.join(" "), JSON.stringify(addon.configure()))'
  return execute([process.execPath, '-e', script, path])
}

// The kernels take longest, so they start first.
async function inParallel(units, work) {
  const waiting = [...units].reverse()
  const worker = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) {
      await work(unit).catch((error) => {
        waiting.length = 0 // a unit that fails ends the others
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

function execute([command, ...args]) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve((stdout + stderr).trim())
      const detail = `${[command, ...args].join(' ')}\n${stderr.slice(0, 20000)}`
      reject(Object.assign(new Error(`${command} failed`), { detail }))
    })
  })
}

function sourcesIn(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.cc'))
  return names.sort().map((name) => join(folder, name))
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(record, 'utf8'))
  } catch {
    return {}
  }
}

function hash(parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(`${part.length}:${part}`)
  return sum.digest('hex')
}

function words(text) {
  return text.split(/\s+/).filter(Boolean)
}

async function main() {
  const [verbose, force] = ['--verbose', '--force'].map((flag) => process.argv.includes(flag))
  const { ok, reason, detail, seconds } = await buildNative({ verbose, force })
  if (ok && seconds > 0) console.log(`heed: built the native addon in ${seconds.toFixed(1)} s`)
  else if (ok) console.log('heed: the native addon is up to date')
  else console.log(`heed: no native addon, WebAssembly will compute, slower: ${reason}`)
  if (!detail) return
  console.log(detail)
  // An installation goes on without the addon.
  if (process.env.npm_lifecycle_event !== 'install') process.exitCode = 1
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) await main()
