// Tests Heed on Windows as far as wine has it, with Node for Windows from npm:
//
//     npm run test:windows [-- arguments of vitest]
//
// It builds the addon and the packages (npm run prebuild -- --only win32-x64), installs them for Windows, runs the
// checks in scripts/windows/checks.ts and then the test suites, those of the arguments if there are any. On Debian it
// wants the package wine64; without it says so and ends well. The last line is `N passed, N failed`.
import { join } from 'node:path'
import { execute, root } from '../native/compile.mjs'
import { checks } from './windows/checks.ts'
import { hasWine, node, onZ, prepareWine, wine } from './windows/wine.ts'

/** Everything that meets the system or the kernels. */
const SUITES = ['native', 'contract', 'io', 'util', 'data', 'cli', 'runtime'].map((name) => `test/${name}/`) // biome-ignore format: one line

/** Wine starts processes slowly. */
const PATIENCE = ['--testTimeout=300000', '--hookTimeout=300000']

/** Tests of downloads, since fetch cannot connect under wine 8, and of programs whose output is read from a pipe. */
const EXCLUDED = [
  '--exclude=test/io/hub.test.ts',
  '--exclude=test/cli/examples.test.ts',
  '--testNamePattern=^(?!.*the hub gives)',
]

/** What wine cannot show. */
const NOT_TRIED: readonly (readonly [what: string, why: string])[] = [
  ['Ctrl-C and Ctrl-Break from the keyboard', 'a program without a console gets none; the handler is called'],
  ['progress that is redrawn, and colours', 'there is no console; what decides about them is tested anywhere'],
  ['output into pipes', "Node's write to a pipe fails with EBADF under wine: output goes to files"],
  ['the examples of --help (test/cli/examples.test.ts)', 'their output is read from pipes'],
  ['downloads from the hub', 'fetch fails under wine 8 with connect UNKNOWN, although sockets work'],
  ['symbolic links', 'wine 8 says that it has made one, and makes none'],
  ['network drives', 'wine has none; their names are tested by the rules of node:path/win32'],
  ['virus scanners and indexers', 'wine has none; files are held open by a process'],
  ['the compiler (heed build)', 'Heed is not compiled on Windows, the package brings the addon'],
] // biome-ignore format: a table

if (hasWine()) process.exitCode = await main()
else console.log('Windows is not tested: no wine (Debian: wine64)')

async function main(): Promise<number> {
  await execute(['npm', 'run', 'prebuild', '--', '--only', 'win32-x64'])
  await prepareWine()
  const total = { passed: 0, failed: 0 }
  for (const { name, run } of checks) {
    const problem = await run().catch((error: Error) => error)
    total[problem ? 'failed' : 'passed']++
    console.log(`${problem ? 'failed' : 'passed'}  ${name}${problem ? `\n${problem.stack}` : ''}`)
  }
  const chosen = process.argv.slice(2)
  const suites = await runSuites(chosen.length > 0 ? chosen : SUITES)
  console.log('\nNot tried under wine:')
  for (const [what, why] of NOT_TRIED) console.log(`  ${what}: ${why}`)
  const [passed, failed] = [total.passed + suites.passed, total.failed + suites.failed]
  console.log(`${passed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

async function runSuites(args: readonly string[]): Promise<{ passed: number; failed: number }> {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const addon = onZ(join(root, 'build', 'prebuilt', 'win32-x64.node'))
  const env = { HEED_ADDON: addon, NO_COLOR: '1' }
  const { out } = await wine([node, vitest, 'run', ...PATIENCE, ...EXCLUDED, ...args], { env, shown: true }) // biome-ignore format: one line
  const [, passed, failed] = /^(\d+) passed, (\d+) failed/m.exec(out) ?? []
  return passed === undefined
    ? { passed: 0, failed: 1 }
    : { passed: Number(passed), failed: Number(failed) }
}
