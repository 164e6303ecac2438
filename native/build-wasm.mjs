// Builds the kernels for WebAssembly: `npm run build:wasm`, with clang 19 (Debian: clang-19, lld-19,
// wasi-libc, libc++-19-dev-wasm32, libclang-rt-19-dev-wasm32). The results are in the repository, so
// that Heed works without a compiler. `wasm.json` records their sources and their hashes.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sourceTokens } from './source-tokens.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, 'src', 'runtime', 'wasm')

/** The compiler version that built the files in the repository. */
const clang = 'Debian clang version 19.1.7 (3~deb12u1)'

const isas = { simd128: [], relaxed: ['-mrelaxed-simd'] }

const flags = words(
  '--target=wasm32-wasi -std=c++17 -pthread -msimd128 -mnontrapping-fptoint -fvisibility=hidden ' +
    '-fno-exceptions -fno-rtti -ffp-contract=fast -fno-math-errno -fno-trapping-math ' +
    '-iquote kernels/cpp -Wall -Wextra -Werror',
)
const fast = ['-O3'] // the kernels
const small = ['-Os'] // all other sources
const kernels = 'kernels/cpp/isa.cc'
const others = [
  ...words('program.cc check.cc micro-ops.cc half-table.cc').map((name) => `kernels/cpp/${name}`),
  ...['', '-products', '-windows'].map((part) => `kernels/cpp/validate${part}.cc`),
  ...['heap.cc', 'module.cc', 'pool.cc'].map((name) => `native/wasm/${name}`),
]

// The host provides the memory, shared between threads. Where memory cannot be shared, the loader
// changes one byte of the module. The C library is not built for threads, hence --no-check-features.
const linkFlags = [
  ...words('--target=wasm32-wasi -pthread -nostartfiles -Wl,--no-entry,--strip-all'),
  '-Wl,--import-memory,--shared-memory,--max-memory=4294967296,--no-check-features',
  '-Wl,--export=__wasm_call_ctors,--export=__stack_pointer',
  '-Wl,--export=__wasm_init_tls,--export=__tls_size,-z,stack-size=1048576',
  ...['malloc', 'calloc', 'realloc', 'posix_memalign', 'free'].map((f) => `-Wl,--wrap=${f}`),
]

/** Builds into `folder` and returns the names of the files. */
export function buildWasm(folder = target) {
  const compiler = process.env.WASM_CXX ?? 'clang++-19'
  const objects = mkdtempSync(join(tmpdir(), 'heed-wasm-'))
  try {
    for (const [isa, own] of Object.entries(isas)) {
      const compile = (source, level) => {
        const object = join(objects, `${basename(source)}-${isa}.o`)
        const args = [...flags, ...own, ...level, `-DHEED_ISA=${isa}`, '-c', source, '-o', object]
        execFileSync(compiler, args, { cwd: root, stdio: 'inherit' })
        return object
      }
      const parts = [compile(kernels, fast), ...others.map((source) => compile(source, small))]
      const linked = join(folder, `${isa}.wasm`)
      execFileSync(compiler, [...parts, ...linkFlags, '-o', linked], {
        cwd: root,
        stdio: 'inherit',
      })
      chmodSync(linked, 0o644)
    }
  } finally {
    rmSync(objects, { recursive: true, force: true })
  }
  return Object.keys(isas).map((isa) => `${isa}.wasm`)
}

/** Hash of everything that determines the files: sources (without comments and layout), flags and compiler. */
export function hashOfSources() {
  const sum = createHash('sha256')
  const add = (text) => sum.update(`${text.length}:${text}`)
  for (const folder of ['kernels/cpp', 'native/wasm'])
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (!isPart(folder, name)) continue
      add(name)
      add(sourceTokens(readFileSync(join(root, folder, name), 'utf8')))
    }
  for (const part of [clang, ...flags, ...fast, ...small, ...linkFlags]) add(part)
  add(JSON.stringify(isas))
  return sum.digest('hex')
}

/** Whether the installed compiler has the version that built the files in the repository. */
export function hasSameCompiler() {
  try {
    const compiler = process.env.WASM_CXX ?? 'clang++-19'
    const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' })
    // The headers of the C++ library are packages of their own.
    const preprocess = ['--target=wasm32-wasi', '-x', 'c++', '-include', 'cstddef', '-E', '-']
    execFileSync(compiler, preprocess, { input: '', stdio: ['pipe', 'ignore', 'ignore'] })
    return version.startsWith(clang)
  } catch {
    return false
  }
}

/** The record of the files in the repository: compiler, hash of the sources, and hash of each file. */
export function recorded() {
  return JSON.parse(readFileSync(join(target, 'wasm.json'), 'utf8'))
}

export function hashOfFile(folder, name) {
  return createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex')
}

const ofNativePool = ['aligned.h', 'pool.h', 'spin.h']

// Without the native thread pool and the list of native instruction sets.
function isPart(folder, name) {
  if (folder === 'native/wasm') return true
  return name.endsWith('.h') ? !ofNativePool.includes(name) : isSource(name)
}

function isSource(name) {
  return [kernels, ...others].includes(`kernels/cpp/${name}`)
}

function words(text) {
  return text.split(/\s+/).filter(Boolean)
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  if (!hasSameCompiler())
    console.warn(
      `heed: the files in the repository were built with ${clang}; this compiler differs`,
    )
  const names = buildWasm()
  const files = Object.fromEntries(names.map((name) => [name, hashOfFile(target, name)]))
  const record = { compiler: clang, sources: hashOfSources(), files }
  writeFileSync(join(target, 'wasm.json'), `${JSON.stringify(record, null, 2)}\n`)
  console.log(`heed: built ${names.join(' and ')}`)
}
