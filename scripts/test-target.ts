// Tests a prebuilt addon in a real Node of its system, on x64 Linux:
//
//   npm run test:target -- linux-arm64-gnu [--install] [--cpu=MODEL] [arguments of vitest]
//
// Node for Arm runs in qemu, and Node for musl on musl's own loader; each is fetched once (scripts/nodes/nodes.ts).
// `npm run prebuild` builds the addons. Without further arguments the native and contract suites run. --install runs
// README's example in a folder in which the packages below build/packages are installed. --cpu runs linux-x64-gnu on a
// processor that qemu-x86_64 simulates, such as Nehalem, which has no AVX.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../native/compile.mjs'
import { targets } from '../src/runtime/cpu/targets.ts'
import { checkInstallation } from './nodes/installation.ts'
import { nodeOf } from './nodes/nodes.ts'
import { runTests, type Started, withNode } from './nodes/other-node.ts'

const SUITES = ['test/native/', 'test/contract/']
/** An emulator is slow, above all at starting Node. */
const PATIENCE = ['--testTimeout=900000', '--hookTimeout=900000']

async function main(): Promise<number> {
  const [name, ...rest] = process.argv.slice(2)
  const isOwn = (word: string): boolean => word === '--install' || word.startsWith('--cpu=')
  const args = rest.filter((word) => !isOwn(word))
  const model = rest.find((word) => word.startsWith('--cpu='))?.slice('--cpu='.length)
  const target = targets.find((it) => it.name === name && it.os === 'linux')
  if (!target) {
    const names = targets.filter(({ os }) => os === 'linux').map((it) => it.name)
    console.error(`The target must be ${names.join(', ')}, got ${name}`)
    return 2
  }
  const addon = join(root, 'build', 'prebuilt', `${name}.node`)
  if (!existsSync(addon)) {
    console.error(`${addon} is missing: npm run prebuild -- --only ${name}`)
    return 2
  }
  const simulated = model ? ['qemu-x86_64', '-cpu', model] : []
  const node = nodeOf(target)
  const command = [...simulated, ...node.command]
  return withNode({ ...node, command }, (started) => {
    console.log(describe(started, addon))
    if (rest.includes('--install')) return checkInstallation(started, target)
    return runTests(started, addon, [...PATIENCE, ...(args.length > 0 ? args : SUITES)])
  })
}

/** Node's version, and what the addon says of itself there. */
function describe(node: Started, addon: string): string {
  const script = `
    const { isas } = require(${JSON.stringify(addon)})
    const { glibcVersionRuntime: glibc } = process.report.getReport().header
    console.log('Node', process.versions.node, process.arch, glibc ? 'glibc ' + glibc : 'musl', '-', ...isas)`
  return execFileSync(node.path, ['-e', script], { env: node.env, encoding: 'utf8' }).trim()
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 1
})
