// Runs the native and contract suites with an addon that is compiled for the sanitizers of addresses and of undefined
// behaviour (Linux, g++ or clang++):
//
//   npm run test:sanitizers [-- --quick] [arguments of vitest]
//
// The addon lies below build/sanitized; the one that was compiled for use stays as it is. --quick compiles the
// kernels for the plainest processor alone, and runs the native suite and operations of the contract.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findCompiler, linkFlags } from '../native/build.mjs'
import { compileUnits, execute, listUnits, root } from '../native/compile.mjs'
import { runTests, withNode } from './nodes/other-node.ts'

const SUITES = ['test/native/', 'test/contract/']
const QUICK = [
  'test/native/',
  'test/contract/operations.test.ts',
  'test/contract/attention.test.ts',
]

/** Instrumented kernels are compiled in a third of the time with -O1, and nothing is checked less. */
const FLAGS = [
  '-O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined',
  '-fno-sanitize=vptr -fno-sanitize-recover=all', // vptr needs run-time type information
].flatMap((line) => line.split(' '))

async function build(plainestOnly: boolean): Promise<{ addon: string; library: string }> {
  const compiler = await findCompiler()
  const folder = join(root, 'build', plainestOnly ? 'sanitized-quick' : 'sanitized')
  const addon = join(folder, 'heed.node')
  mkdirSync(folder, { recursive: true })
  const version = `${compiler.version} ${FLAGS.join(' ')}` // part of the names of objects
  const units = listUnits({ ...compiler, version, plainestOnly }, process.arch).map((unit) => ({
    ...unit,
    flags: [...unit.flags, ...FLAGS],
  }))
  const objects = await compileUnits(compiler, units, join(folder, 'objects'), {
    log: () => {},
    done: ({ name }, seconds) => console.log(`${name}: ${seconds.toFixed(0)} s`),
  })
  await execute([...compiler.command, ...objects, '-o', addon, ...FLAGS, ...linkFlags])
  const isClang = compiler.version.includes('clang')
  const name = isClang ? 'libclang_rt.asan-x86_64.so' : 'libasan.so'
  const library = await execute([...compiler.command, `-print-file-name=${name}`])
  return { addon, library }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const { addon, library } = await build(values.quick)
  const chosen = positionals.length > 0 ? positionals : values.quick ? QUICK : SUITES
  const node = {
    command: [process.execPath],
    env: {
      LD_PRELOAD: library,
      ASAN_OPTIONS: 'detect_leaks=0', // Node frees little at its end
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  }
  return withNode(node, (started) =>
    runTests(started, addon, ['--testTimeout=600000', '--hookTimeout=600000', ...chosen]),
  )
}

process.exitCode = await main().catch((error: Error & { detail?: string }) => {
  console.error(error.detail ?? error.message)
  return 1
})
