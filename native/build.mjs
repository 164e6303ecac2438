// Builds the native addon for this machine with plain compiler calls: `node native/build.mjs
// [--verbose] [--force]`, or buildNative(). `npm install` in a checkout runs it, and so does `heed
// build` if no prebuilt addon fits. Without a C++ compiler, Heed runs on WebAssembly, which is slower.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compileUnits, execute, hash, listUnits, root, words } from './compile.mjs'

const output = join(root, 'native', 'build')
const objects = join(output, 'objects')
const target = join(output, 'heed.node')
const record = join(output, 'heed.json')

export const linkFlags = words(
  process.platform === 'darwin'
    ? '-bundle -undefined dynamic_lookup'
    : '-shared -pthread -ldl -Wl,-Bsymbolic',
)

/**
 * Builds the addon unless it is up to date. Never rejects. Resolves to { ok, reason, remedy, detail,
 * path, seconds }: `reason` and `remedy` explain a failure in one line each, `detail` is the output of
 * the compiler, and `seconds` is 0 if the addon was up to date.
 * @param options.progress called with a line for each compiled part
 */
export async function buildNative({ verbose = false, force = false, progress } = {}) {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const log = verbose ? (line) => console.log(line) : () => {}
  try {
    const built = await build(force, log, progress)
    const seconds = built ? elapsed() : 0
    return { ok: true, reason: '', remedy: '', detail: '', path: target, seconds }
  } catch (error) {
    const { message, detail = '' } = error
    const { reason, remedy } = isOfFiles(error)
      ? { reason: `${error.path} cannot be written (${error.code})`, remedy: WRITABLE }
      : { reason: message, remedy: COMPILER }
    return { ok: false, reason, remedy, detail, path: target, seconds: elapsed() }
  }
}

const WRITABLE = 'Make the folder of heed writable, or build in a copy of it and set HEED_ADDON.'
const COMPILER = 'Install a C++ compiler (apt install g++), or set CXX to the path of one.'

const isOfFiles = ({ code, path }) => path !== undefined && UNWRITABLE.includes(code)
const UNWRITABLE = words('EACCES EPERM EROFS ENOSPC EDQUOT EEXIST ENOTDIR EISDIR')

// Resolves to false if the addon was up to date.
async function build(force, log, progress) {
  if (process.platform === 'win32') throw new Error('the addon cannot be compiled on Windows')
  const compiler = await findCompiler()
  log(`compiler: ${compiler.command.join(' ')} (${compiler.version})`)
  const units = listUnits(compiler, process.arch)
  const key = hash([...units.map((unit) => unit.key), ...linkFlags])
  const upToDate = () => !force && existsSync(target) && isOwn(readRecord(), key)
  if (upToDate()) return false
  return whenAlone(async () => {
    if (upToDate()) return false
    const done = ({ name }, seconds) => {
      if (name.startsWith('isa-'))
        progress?.(`kernels for ${name.slice(4)}: ${seconds.toFixed(0)} s`)
    }
    const first = ownUnit()
    const made = await compileUnits(compiler, units, objects, { force, first, log, done })
    await link(compiler, made, log)
    const facts = { key, compiler: compiler.version, bytes: statSync(target).size }
    writeFileSync(`${record}.new`, `${JSON.stringify(facts, null, 2)}\n`)
    renameSync(`${record}.new`, record)
    return true
  })
}

function isOwn({ key: own, bytes }, key) {
  return own === key && bytes === statSync(target).size
}

// The name of the unit with the kernels for this processor, if the system reports its features.
function ownUnit() {
  try {
    const flags = words(/^flags.*/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? '')
    if (flags.includes('avx512bw') && flags.includes('avx512vl')) return 'isa-avx512'
    return flags.includes('avx2') ? 'isa-avx2' : 'isa-baseline'
  } catch {
    return undefined
  }
}

// Runs `work` under a lock. Test runners build from several processes at the same time: the first one
// builds, and the others wait.
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

// Whether the process that took the lock is alive: a killed process does not remove it.
function isHeld(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > 15 * 60_000) return false
    process.kill(Number(readFileSync(lock, 'utf8')) || process.pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

export async function findCompiler() {
  const plain =
    process.platform === 'darwin' ? ['clang++', 'g++', 'c++'] : ['g++', 'clang++', 'c++']
  const candidates = process.env.CXX ? [process.env.CXX] : plain
  for (const candidate of candidates) {
    const command = words(candidate)
    try {
      const answer = await execute([...command, '--version'])
      const plainest = process.arch === 'x64' ? '-march=x86-64' : ''
      return { command, version: answer.split('\n')[0].trim(), flags: [], plainest, folders: [] }
    } catch {
      // try the next one
    }
  }
  throw new Error(
    process.env.CXX
      ? `the C++ compiler of CXX (${process.env.CXX}) does not run`
      : `no C++ compiler was found (tried ${plain.join(', ')})`,
  )
}

async function link(compiler, made, log) {
  const fresh = join(output, `heed-${process.pid}.node`)
  try {
    await execute([...compiler.command, ...made, '-o', fresh, ...linkFlags])
    log(`loads: ${await tryLoading(fresh)}`)
    renameSync(fresh, target) // atomic, so that no process loads an incomplete file
  } finally {
    rmSync(fresh, { force: true })
  }
}

// Loads the addon in a separate process, so that a crash does not end the installation.
function tryLoading(path) {
  const script =
    'const addon = require(process.argv[1]);' +
    'console.log(addon.isas.join(" "), JSON.stringify(addon.configure()))'
  return execute([process.execPath, '-e', script, path])
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(record, 'utf8'))
  } catch {
    return {}
  }
}

async function main() {
  const [verbose, force] = ['--verbose', '--force'].map((flag) => process.argv.includes(flag))
  const progress = (line) => console.log(`heed: ${line}`)
  const { ok, reason, detail, seconds } = await buildNative({ verbose, force, progress })
  if (ok && seconds > 0) console.log(`heed: built the native addon in ${seconds.toFixed(1)} s`)
  else if (ok) console.log('heed: the native addon is up to date')
  else console.log(`heed: no native addon: ${reason}. Heed will use WebAssembly, which is slower.`)
  if (!detail) return
  console.log(detail)
  // An installation continues without the addon.
  if (!process.env.npm_lifecycle_event) process.exitCode = 1
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) await main()
