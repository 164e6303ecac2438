// How the native addon is compiled, whatever the compiler and the system: for this machine by
// build.mjs, for others by scripts/prebuild. Plain JavaScript, since a package without the addon
// compiles it with nothing but Node and a C++ compiler.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sourceTokens } from './source-tokens.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const kernels = join(root, 'kernels', 'cpp')
const native = join(root, 'native')

/** By Node's `process.arch`, best first: the first one that the processor supports is used. */
export const instructionSets = {
  x64: [
    ['avx512', '-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512'],
    ['avx2', '-mavx2 -mfma'],
    ['baseline', ''],
  ],
  arm64: [['neon', '']],
}

export const commonFlags = words(
  '-std=c++17 -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti -pthread -Wall -Wextra',
)
const addonFlags = words('-O2 -DNAPI_VERSION=8')
export const kernelFlags = words('-O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math')

/**
 * What to compile, in the order of linking, the plainest first: where units share an inline
 * function, the linker keeps the first, and a processor without AVX must never meet one that was
 * compiled with it. Paths are relative to the package's folder, and so the same everywhere.
 *
 * @param compiler { command, version, flags, plainest, folders, plainestOnly }: flags of all units, and
 *   of kernels for the plainest processor; further folders of sources; kernels for no other processor
 */
export function listUnits(compiler, arch, windows = false) {
  const isas = (instructionSets[arch] ?? [['baseline', '']]).slice(compiler.plainestOnly ? -1 : 0)
  const include = relative(root, createRequire(import.meta.url)('node-api-headers').include_dir)
  // -iquote and not -I: a header of ours has the name of a system header, <math.h>.
  const places = ['-iquotekernels/cpp', '-iquotenative', `-isystem${posix(include)}`]
  const shared = [...commonFlags, ...compiler.flags, ...places]
  const defines = `-DHEED_ISAS=${isas.map(([name]) => `X(${name})`).join(' ')}`
  const system = join(native, windows ? 'windows' : 'posix')
  const more = compiler.folders.map((folder) => join(root, folder))
  const plain = [kernels, native, system, ...more]
    .flatMap(sourcesIn)
    .filter((path) => !path.endsWith('isa.cc'))
    .map((source) => ({
      name: source.replace(/\//g, '-'),
      source,
      flags: [...shared, ...addonFlags, ...(source.endsWith('isas.cc') ? [defines] : [])],
    }))
  const perIsa = [...isas].reverse().map(([name, flags]) => ({
    name: `isa-${name}`,
    source: 'kernels/cpp/isa.cc',
    flags: [...shared, ...kernelFlags, `-DHEED_ISA=${name}`, ...words(flags || compiler.plainest)],
  }))
  return [...plain, ...perIsa].map((unit) => {
    const text = withIncludes(join(root, unit.source)).map(tokensOf)
    return { ...unit, key: hash([compiler.version, ...unit.flags, ...text]) }
  })
}

/**
 * Compiles what is not yet in `folder`, and removes what no unit needs. Resolves to the objects, in
 * the order of the units.
 * @param first the name of the unit to begin with
 * @param done called with each unit that was compiled, and its seconds
 */
export async function compileUnits(compiler, units, folder, { force = false, first, log, done }) {
  mkdirSync(folder, { recursive: true })
  const objects = units.map(({ name, key }) => join(folder, `${name}-${key.slice(0, 16)}.o`))
  const waiting = units
    .map((unit, i) => ({ unit, object: objects[i] }))
    .filter(({ object }) => force || !existsSync(object))
    .reverse() // the kernels take longest
    .sort((a, b) => Number(b.unit.name === first) - Number(a.unit.name === first))
  await inParallel(waiting, async ({ unit, object }) => {
    const started = performance.now()
    const fresh = `${object}.${process.pid}`
    const warnings = await execute(
      [...compiler.command, ...unit.flags, '-c', unit.source, '-o', fresh],
      compiler.env,
    )
    renameSync(fresh, object)
    const seconds = (performance.now() - started) / 1000
    log(`${unit.name}: ${seconds.toFixed(1)} s`)
    if (warnings) log(warnings)
    done?.(unit, seconds)
  })
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (!objects.includes(path)) rmSync(path, { force: true })
  }
  return objects
}

/** What a command wrote. Rejects with `detail`, which holds the command and what it said. */
export function execute([command, ...args], env = process.env) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 64 << 20, cwd: root, env }, (error, stdout, stderr) => {
      if (!error) return resolve((stdout + stderr).trim())
      const detail = `${[command, ...args].join(' ')}\n${stderr.slice(0, 20000)}`
      reject(Object.assign(new Error(`${command} failed`), { detail }))
    })
  })
}

export function hash(parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(`${part.length}:${part}`)
  return sum.digest('hex')
}

export function words(text) {
  return text.split(/\s+/).filter(Boolean)
}

async function inParallel(tasks, work) {
  const waiting = [...tasks]
  const worker = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      await work(task).catch((error) => {
        waiting.length = 0 // a unit that fails ends the others
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
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

function sourcesIn(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.cc'))
  return names.sort().map((name) => posix(relative(root, join(folder, name))))
}

function posix(path) {
  return path.replace(/\\/g, '/')
}
