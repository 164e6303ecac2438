// What is tried on Windows beside the test suites: the addon, the installed package, training, files.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert'
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../native/compile.mjs'
import { withoutMeasured } from '../../test/support/measured.ts'
import { serveRegistry } from '../installs/registry.ts'
import { driveC, folder, node, onZ, type Run, type RunOptions, wine } from './wine.ts'

export interface Check {
  readonly name: string
  /** @throws Error that says what is wrong */
  run(): Promise<void>
}

const packages = join(root, 'build', 'packages')
const project = join(driveC, 'my project') // a name with a space
const addon = onZ(join(packages, 'win32-x64', 'heed.node'))

/** In an order in which later ones use what earlier ones have made. */
export const checks: readonly Check[] = [
  { name: 'the addon loads in node.exe', run: () => loads(node) },
  {
    name: 'the addon loads in a program of another name, and brings no second Node',
    run: async () => {
      const renamed = join(folder, 'renamed', 'app.exe')
      mkdirSync(join(renamed, '..'), { recursive: true })
      copyFileSync(node, renamed)
      await loads(renamed)
    },
  },
  { name: 'npm installs heed with the addon for Windows, and no other', run: install },
  {
    name: 'heed doctor names the installed addon',
    run: async () => {
      const { out, code } = await heed(['doctor'])
      strictEqual(code, 0, out)
      match(out, /Node 20\.\S+, win32 x64/)
      match(out, /native kernels: .*\n.*C:\\my project\\node_modules\\@heed\\win32-x64\\heed\.node/)
    },
  },
  {
    name: "README's example computes with it",
    run: async () => {
      copyFileSync(join(root, 'examples', 'readme.ts'), join(project, 'example.mjs'))
      const { out, code } = await run(node, ['example.mjs'])
      strictEqual(code, 0, out)
      match(out, /Call me Ishmael\. Some years ago/)
    },
  },
  { name: 'a training that is killed resumes bit for bit', run: killed },
  { name: 'Ctrl-Break stops and saves a training, which resumes bit for bit', run: stopped },
  {
    name: 'npm start trains on Moby-Dick in a checkout, and writes',
    run: async () => {
      const out = join(folder, 'moby-dick')
      rmSync(out, { recursive: true, force: true })
      const script = ['--import', './scripts/typescript/register.mjs', 'scripts/start.ts']
      const flags = ['--out', onZ(out), ...SIZE, '--steps', '2', '--tokenizer', 'char']
      const done = await wine([node, ...script, ...flags], { env: { HEED_ADDON: addon } })
      strictEqual(done.code, 0, done.out)
      match(done.out, /Generated text:\s+The whale/)
    },
  },
  { name: 'much data is encoded by threads into %LOCALAPPDATA%', run: muchData },
  { name: 'a file that is open is replaced once it is closed', run: () => replaced(true) },
  { name: 'a file that stays open is kept, and the error says so', run: () => replaced(false) },
  ...['runs\\a:b', 'runs\\nul', 'runs\\what?', 'runs\\x.'].map((out) => ({
    name: `heed train --out ${out} says that Windows cannot store the name`,
    run: async () => {
      const refused = await heed(['train', 'gpt2', '--data', 'texts\\a.txt', '--out', out])
      strictEqual(refused.code, 2, refused.out)
      match(refused.out, /File names on Windows must/)
    },
  })),
  {
    name: 'a damaged addon is named in one line, and WebAssembly computes',
    run: async () => {
      const path = join(project, 'node_modules', '@heed', 'win32-x64', 'heed.node')
      const bytes = readFileSync(path)
      const script = 'import("heed").then((it) => console.log(it.defaultDevice().name))'
      for (const changed of [bytes.subarray(0, 1 << 20), Buffer.concat([bytes, bytes])]) {
        writeFileSync(path, changed)
        const { out, code } = await run(node, ['-e', script])
        writeFileSync(path, bytes)
        strictEqual(code, 0, out)
        match(out, /^heed: .*native addon C:\\my project\\.* is ignored: .*\nwasm\n$/)
      }
    },
  },
  {
    name: 'HEED_ADDON that is no library is named in one line',
    run: async () => {
      const short = join(project, 'short.node')
      writeFileSync(short, readFileSync(join(packages, 'win32-x64', 'heed.node')).subarray(0, 1 << 20)) // biome-ignore format: one line
      const script = 'import("heed").then((it) => console.log(it.defaultDevice().name))'
      const { out, code } = await run(node, ['-e', script], { env: { HEED_ADDON: 'short.node' } })
      strictEqual(code, 0, out)
      match(out, /^heed: .*native addon C:\\my project\\short\.node is ignored: .*\ncpu\n$/)
    },
  },
]

async function loads(program: string): Promise<void> {
  const script = `
    const addon = require(${JSON.stringify(addon)})
    const { isa, threads } = addon.configure()
    const { sharedObjects } = process.report.getReport()
    const name = process.execPath.split('\\\\').at(-1)
    const nodes = sharedObjects.filter((path) => /node\\.exe$/i.test(path) && path !== process.execPath)
    console.log(JSON.stringify({ name, isa, last: addon.isas.at(-1), threads: threads > 0, nodes }))`
  const { out, code } = await wine([program, '-e', script])
  strictEqual(code, 0, out)
  const { isa, ...seen } = JSON.parse(out)
  ok(['avx512', 'avx2', 'baseline'].includes(isa), isa)
  const name = program.split('/').at(-1)
  deepStrictEqual(seen, { name, last: 'baseline', threads: true, nodes: [] })
}

async function install(): Promise<void> {
  rmSync(project, { recursive: true, force: true })
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "name": "mine", "private": true }')
  const registry = await serveRegistry(
    ['heed', 'wasm', 'win32-x64'].map((name) => join(packages, name)),
  )
  const settings = [`registry=${registry.url}`, `cache=${join(folder, 'npm')}`, 'audit=false', 'fund=false'] // biome-ignore format: one line
  writeFileSync(join(project, '.npmrc'), settings.join('\n'))
  try {
    const args = ['install', 'heed', '--ignore-scripts', '--os', 'win32', '--cpu', 'x64']
    await promisify(execFile)('npm', args, { cwd: project })
  } finally {
    registry.close()
  }
  deepStrictEqual(readdirSync(join(project, 'node_modules', '@heed')).sort(), ['wasm', 'win32-x64']) // biome-ignore format: one line
}

const run = (program: string, args: readonly string[], options: RunOptions = {}): Promise<Run> =>
  wine([program, ...args], { cwd: project, ...options })

/** The command of the installed package. What goes into a file has no escape sequences. */
async function heed(args: readonly string[], options?: RunOptions, before: string[] = []) {
  const done = await run(node, [...before, 'node_modules\\heed\\bin\\heed.js', ...args], options)
  ok(!done.out.includes('\x1b'), 'there are escape sequences in a file')
  return done
}

const SIZE = ['--layers', '1', '--heads', '2', '--dim', '16', '--context', '32', '--batch', '8']
const PACE = ['--steps', '60', '--save-every', '5', '--eval-every', '10', '--log-every', '1']

function train(out: string, options?: RunOptions, before?: string[]): Promise<Run> {
  const data = ['--data', 'texts\\*.txt', '--seed', '3', '--warmup', '0']
  return heed(['train', 'gpt2', ...data, '--out', out, ...SIZE, ...PACE], options, before)
}

/** A run that nothing interrupts, made once. */
async function wholeRun(): Promise<string> {
  const out = join(project, 'runs', 'whole')
  if (existsSync(out)) return out
  mkdirSync(join(project, 'texts'), { recursive: true })
  const text = 'the cat sat on the mat\r\nand the dog ran after it.\r\n'.repeat(200)
  writeFileSync(join(project, 'texts', 'a.txt'), text)
  const done = await train('runs\\whole')
  strictEqual(done.code, 0, done.out)
  match(done.out, /npx heed generate runs\\whole --prompt/)
  return out
}

/** Of a run: its weights, and its metrics without how long it took. */
function resultsOf(run: string): string[] {
  const weights = readFileSync(join(run, 'model.safetensors')).toString('base64')
  const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
  return [weights, withoutMeasured(metrics)]
}

async function compare(out: string, name: string): Promise<void> {
  const whole = await wholeRun()
  const resumed = await heed(['train', 'gpt2', '--out', name, '--resume'])
  strictEqual(resumed.code, 0, resumed.out)
  match(resumed.out, /Resuming from step \d+/)
  ok(resultsOf(out)[1].split('\n').length > 50, 'there are metrics')
  deepStrictEqual(resultsOf(out), resultsOf(whole))
  ok(!readFileSync(join(out, 'metrics.jsonl'), 'utf8').includes('\r'), 'line ends are line feeds')
  const verified = await heed(['verify', name])
  strictEqual(verified.code, 0, verified.out)
  const left = readdirSync(out, { recursive: true }).map(String)
  deepStrictEqual(left.filter((path) => /(^|\/)\..*\.tmp$/.test(path)), []) // biome-ignore format: one line
}

async function killed(): Promise<void> {
  await wholeRun()
  for (const step of [12, 34]) {
    const resume = step > 12 ? ['train', 'gpt2', '--out', 'C:\\runs\\killed', '--resume'] : null
    const options = { killAt: `step ${step}/` }
    const { code, out } = await (resume ? heed(resume, options) : train('C:\\runs\\killed', options)) // biome-ignore format: one line
    strictEqual(code, null, out)
  }
  await compare(join(driveC, 'runs', 'killed'), 'C:\\runs\\killed')
}

/** Wine has no keyboard for a program without a console: the signal is sent within the process. */
async function stopped(): Promise<void> {
  const preload = `
    import { existsSync } from 'node:fs'
    const timer = setInterval(() => {
      if (!existsSync('runs/stopped/checkpoints/step-000010')) return
      clearInterval(timer)
      process.emit('SIGBREAK', 'SIGBREAK')
    }, 5)
    timer.unref()`
  writeFileSync(join(project, 'break.mjs'), preload)
  const { out, code } = await train('\\\\?\\C:\\my project\\runs\\stopped', {}, ['--import', './break.mjs']) // biome-ignore format: one line
  strictEqual(code, 0, out)
  match(out, /Stopped and saved at step \d+\. To resume:\s+npx heed train --out "\\\\\?\\C:\\my project\\runs\\stopped" --resume/) // biome-ignore format: one line
  await compare(join(project, 'runs', 'stopped'), 'runs/stopped')
}

async function muchData(): Promise<void> {
  writeFileSync(join(project, 'much.jsonl'), `${JSON.stringify({ text: 'the cat sat on the mat. '.repeat(20) })}\r\n`.repeat(24_000)) // biome-ignore format: one line
  const words = ['train', 'bert', '--task', 'fill-mask', '--data', 'much.jsonl', '--out', 'runs/much', ...SIZE, '--steps', '2', '--eval-batches', '2', '--tokenizer', 'wordpiece:300'] // biome-ignore format: one line
  const { out, code } = await heed(words)
  strictEqual(code, 0, out)
  const users = join(driveC, 'users')
  const caches = readdirSync(users).map((user) => join(users, user, 'AppData/Local/heed/data'))
  const found = caches.filter(existsSync).flatMap((cache) => readdirSync(cache))
  ok(found.some((name) => name.endsWith('.examples')), `${found}`) // biome-ignore format: one line
}

/** Opens a file as programs of Windows do by default, so that nobody else may touch it. */
async function replaced(closes: boolean): Promise<void> {
  const script = `
    import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
    import { tensor } from 'heed'
    import { saveSafetensors } from 'heed/io'
    const path = 'held.safetensors'
    writeFileSync(path, 'old')
    const EXCLUSIVE = 0x10000000
    const file = openSync(path, EXCLUSIVE | 2)
    if (${closes}) setTimeout(() => closeSync(file), 700)
    const error = await saveSafetensors(path, { a: tensor([1]) }).catch((error) => error)
    if (!${closes}) closeSync(file)
    console.log(JSON.stringify({ error: error?.message, size: readFileSync(path).length }))`
  writeFileSync(join(project, 'held.mjs'), script)
  const { out, code } = await run(node, ['held.mjs'])
  strictEqual(code, 0, out)
  const { error, size } = JSON.parse(out)
  if (closes) return ok(error === undefined && size > 3, out)
  match(error, /Cannot write held\.safetensors: another program has it open/)
  strictEqual(size, 3)
}
