// A project outside this repository uses the packed package. Its module adds to each registry, and a run that
// depends on all of it trains with threads, is killed, resumes, predicts and reports.
import { execFile, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { transformSync } from 'rolldown/utils'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heed-outside-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const project = join(folder, 'project')
const at = (name: string): string => join(project, name)
const run = promisify(execFile)
const MINUTES = 60_000

/** Packs the package with a new build, as `npm pack` does, without touching dist of this checkout. */
async function pack(): Promise<string> {
  const stage = join(folder, 'stage')
  mkdirSync(stage)
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const name of ['package.json', 'README.md', 'bin', 'kernels', 'native', 'CHANGELOG.md'])
    if (existsSync(join(root, name)))
      cpSync(join(root, name), join(stage, name), {
        recursive: true,
        filter: (path) => !path.startsWith(join(root, 'native/build/')),
      })
  expect(files).toContain('dist')
  const tsdown = join(root, 'node_modules/tsdown/dist/run.mjs')
  await run(process.execPath, [tsdown, '--silent', '--out-dir', join(stage, 'dist')], { cwd: root })
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: stage })
  return join(stage, stdout.trim())
}

/** Unpacks the package, and links its dependencies to those of this checkout: tests are offline. */
async function install(tarball: string): Promise<void> {
  const modules = at('node_modules')
  mkdirSync(join(modules, 'heed'), { recursive: true })
  await run('tar', ['xzf', tarball, '--strip-components=1', '-C', join(modules, 'heed')])
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && name !== 'heed')
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
}

const plugin = fileURLToPath(new URL('./outside/plugin.ts', import.meta.url))

beforeAll(async () => {
  mkdirSync(project)
  await install(await pack())
  writeFileSync(at('package.json'), JSON.stringify({ name: 'project', type: 'module' }))
  cpSync(plugin, at('plugin.ts'))
  const { code } = transformSync(plugin, readFileSync(plugin, 'utf8'), {
    typescript: { onlyRemoveTypeImports: true },
  })
  writeFileSync(at('plugin.mjs'), code)
  const letters = [...'abcdefghijklmnopqrstuvwxyz .?']
  writeFileSync(
    at('tokenizer.json'),
    JSON.stringify({
      version: '1.0',
      added_tokens: [],
      normalizer: { type: 'Quieten', mark: '?' },
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Fuse' },
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(letters.map((letter, i) => [letter, i])),
        merges: [],
      },
    }),
  )
  // Threads encode files from 10 MB on.
  const row = (i: number): string =>
    `ROW ${'ABCDEFGH'[i % 8]} SHOUTS! ${'LOUDER AND LOUDER! '.repeat(220)}\n`
  writeFileSync(at('rows.shout'), Array.from({ length: 2600 }, (_, i) => row(i)).join(''))
  writeFileSync(at('few.shout'), 'HELLO THERE!\nWELL WELL!\n')
}, 10 * MINUTES)

const environment = {
  ...process.env,
  NODE_OPTIONS: '',
  NO_COLOR: '1',
  HEED_DEVICE: 'borrowed',
  HEED_THREADS: '2',
  XDG_CACHE_HOME: join(folder, 'cache'),
  HEED_CACHE: join(folder, 'cache'),
}

interface Ended {
  code: number | null
  out: string
  err: string
}

/** The command of the installed package; `killAt` ends it by SIGKILL once it has printed this. */
function heed(words: string[], killAt?: string): Promise<Ended> {
  const bin = at('node_modules/heed/bin/heed.js')
  const child = spawn(process.execPath, [bin, ...words], { cwd: project, env: environment })
  return new Promise((resolve) => {
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (killAt !== undefined && out.includes(killAt)) child.kill('SIGKILL')
    })
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

const imported = ['--import', './plugin.mjs']
const training = (out: string): string[] => [
  ...['train', 'mumble', '--task', 'beginnings', '--optimizer', 'inertial', '--inertia', '0.7'],
  ...['--data', 'rows.shout', '--tokenizer', 'tokenizer.json', '--out', out, '--context', '8'],
  ...['--layers', '1', '--heads', '2', '--dim', '8', '--batch', '2', '--steps', '12'],
  ...['--save-every', '4', '--eval-every', '6', '--eval-batches', '2', '--log-every', '1'],
]

it('compiles against the published types', { timeout: 5 * MINUTES }, async () => {
  const options = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'] // biome-ignore format: one line
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const checked = run(process.execPath, [tsc, ...options, 'plugin.ts'], { cwd: project })
  expect(await checked.catch(({ stdout }) => ({ stdout }))).toMatchObject({ stdout: '' })
})

it('trains with threads, is killed, resumes, predicts and reports', {
  timeout: 10 * MINUTES,
}, async () => {
  const help = await heed(['train', ...imported, '--task', 'beginnings', '--optimizer', 'inertial', '--help']) // biome-ignore format: one line
  expect(help.out).toMatch(/beginnings +the beginnings of rows/)
  expect(help.out).toMatch(/--inertia <number> +momentum/)

  const whole = await heed([...training('whole'), ...imported])
  expect(whole.err).toBe('')
  expect(whole.out).toMatch(/on borrowed/)
  expect(readFileSync(at('threads.log'), 'utf8').trim().split('\n')).toHaveLength(2)

  const killed = await heed([...training('killed'), ...imported], 'step 4  saved')
  expect(killed.code).toBe(null)
  expect(existsSync(at('killed/checkpoints/step-000012'))).toBe(false)

  const forgotten = await heed(['train', '--out', 'killed', '--resume'])
  expect(forgotten).toMatchObject({
    code: 2,
    err: expect.stringContaining('Add --import ./plugin.mjs.'),
  })
  const resumed = await heed(['train', '--out', 'killed', '--resume', ...imported])
  expect(resumed).toMatchObject({ code: 0, err: '' })
  const weights = (name: string): Buffer => readFileSync(at(`${name}/model.safetensors`))
  expect(weights('killed').equals(weights('whole'))).toBe(true)

  const predicted = await heed(['predict', 'killed', 'few.shout', ...imported])
  expect(predicted.err).toBe('')
  expect(
    predicted.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([{ beginning: 'hello the' }, { beginning: 'well well' }])
  const model = JSON.parse(readFileSync(at('killed/config.json'), 'utf8'))
  expect(model).toMatchObject({ model_type: 'mumble', architectures: ['MumbleLM'], width: 8 })
  const reported = await heed(['report', 'killed', ...imported])
  expect(reported).toMatchObject({ code: 0, err: '' })
  expect(readFileSync(at('killed/report.html'), 'utf8')).toMatch(
    /beginnings: killed[\s\S]*inertial/,
  )
})

it.each([
  ['eval', 'whole', '--data', 'few.shout'],
  ['predict', 'whole', 'few.shout'],
  ['report', 'whole'],
])('heed %s names the missing import', async (...words) => {
  const { code, err } = await heed(words)
  expect(err).toMatch(/needs \.\/plugin\.mjs[^\n]*\n {2}Add --import \.\/plugin\.mjs\.\n$/)
  expect(code).toBe(2)
})
