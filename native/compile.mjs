// Compiles the native addon, with any compiler and for any system. build.mjs uses it for this machine,
// scripts/prebuild for others. Plain JavaScript, because a package without the addon compiles it with
// only Node and a C++ compiler.
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

/** Instruction sets by `process.arch`, best first. The first one that the processor supports is used. */
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
 * Lists the units to compile in the order of linking. Units for the oldest processor are first: if
 * several units contain the same inline function, the linker keeps the first copy, which must not use
 * AVX. Paths are relative to the root folder, so they are the same on every machine.
 *
 * @param compiler { command, version, flags, plainest, folders, plainestOnly }: flags of all units, flags
 *   of kernels for the oldest processor, folders with additional sources, and whether to compile kernels
 *   for the oldest processor only
 */
export function listUnits(compiler, arch, windows = false) {
  const isas = (instructionSets[arch] ?? [['baseline', '']]).slice(compiler.plainestOnly ? -1 : 0)
  const include = relative(root, createRequire(import.meta.url)('node-api-headers').include_dir)
  // -iquote rather than -I, because one of our headers has the name of a system header, <math.h>.
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
 * Compiles the units whose objects are not in `folder` yet, and removes other files from it. Resolves
 * to the paths of the objects in the order of the units.
 * @param first name of the unit to start with
 * @param done called with each compiled unit and the seconds that it took
 */
export async function compileUnits(compiler, units, folder, { force = false, first, log, done }) {
  mkdirSync(folder, { recursive: true })
  const objects = units.map(({ name, key }) => join(folder, `${name}-${key.slice(0, 16)}.o`))
  const waiting = units
    .map((unit, i) => ({ unit, object: objects[i] }))
    .filter(({ object }) => force || !existsSync(object))
    .reverse() // kernels take longest
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

/** Resolves to the output of a command. Rejects with an error whose `detail` is the command and its error output. */
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
        waiting.length = 0 // after a failure, no further unit is started
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

// A source file and all headers of Heed that it includes.
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
