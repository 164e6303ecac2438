// The addon on processors that qemu-x86_64 simulates (Debian: qemu-user): the instruction sets that it offers are those
// that the compiler's library detects there, and one without AVX2 is served by the baseline.
//
//   npm run test:processors [-- ADDON]
//
// ADDON is build/prebuilt/linux-x64-gnu.node unless named. `npm run test:target -- linux-x64-gnu --cpu=MODEL` runs
// suites on such a processor.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { root } from '../native/compile.mjs'
import { buildProcessorProgram } from './nodes/processor.ts'

/** Models of qemu, and the best instruction set of each. qemu has no AVX-512. */
const MODELS: readonly (readonly [string, string])[] = [
  ['qemu64', 'baseline'],
  ['core2duo', 'baseline'],
  ['Nehalem', 'baseline'],
  ['SandyBridge', 'baseline'],
  ['Haswell', 'avx2'],
  ['Haswell,-avx2', 'baseline'],
  ['Haswell,-fma', 'baseline'],
  ['Haswell,-xsave', 'baseline'],
  ['EPYC', 'avx2'],
  ['Skylake-Server', 'avx2'],
]

/** What an emulated processor prints of the addon, with the warnings of `heed doctor`. */
const script = `
  const { isas, configure } = require(process.argv[1])
  console.log(isas.join(' '), configure().isa)`

function main(): number {
  const addon = resolve(process.argv[2] ?? join(root, 'build', 'prebuilt', 'linux-x64-gnu.node'))
  const folder = mkdtempSync(join(tmpdir(), 'heed-processors-'))
  const program = buildProcessorProgram(folder)
  try {
    if (spawnSync('qemu-x86_64', ['--version']).error || !program || process.arch !== 'x64') {
      console.log('Processors are not simulated: qemu-x86_64 (Debian: qemu-user) and a C++ compiler for x64 are needed.') // biome-ignore format: one line
      return 0
    }
    if (!existsSync(addon)) throw new Error(`${addon} is missing: npm run prebuild -- --only linux-x64-gnu`) // biome-ignore format: one line
    const failures = MODELS.map(([model, best]) => failureOn(model, best, program, addon))
    const failed = failures.filter(Boolean).length
    console.log(`${MODELS.length - failed} passed, ${failed} failed`)
    return failed > 0 ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Prints a line; returns whether something is wrong. */
function failureOn(model: string, best: string, program: string, addon: string): boolean {
  const [own, compilers] = emulated(model, [program]).split('\n')
  const node = emulated(model, [process.execPath, '-e', script, addon])
  const doctor = emulated(model, [process.execPath, 'bin/heed.js', 'doctor'], addon)
  const saysSo = doctor.includes(`native kernels: ${best}`) && doctor.includes('has no AVX2') === (best === 'baseline') // biome-ignore format: one line
  const isRight =
    own === compilers && node === `${own} ${best}` && own.split(' ')[0] === best && saysSo
  console.log(`${isRight ? 'ok    ' : 'FAILED'} ${model}: ${node}`)
  if (!isRight)
    console.log(`  detected: ${own}; the compiler's library: ${compilers}; heed doctor: ${doctor}`)
  return !isRight
}

function emulated(model: string, command: string[], addon = ''): string {
  const { stdout, stderr } = spawnSync('qemu-x86_64', ['-cpu', model, ...command], {
    cwd: root,
    env: { ...process.env, HEED_ADDON: addon, NO_COLOR: '1' },
    encoding: 'utf8',
  })
  // qemu warns of features that it lacks.
  return stdout.trim() || stderr.trim()
}

process.exitCode = main()
