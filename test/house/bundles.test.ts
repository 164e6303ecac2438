// Bundles of a program with Heed's code: in a project that has heed, and where there is none. npm run test:bundlers does
// the same with other bundlers.
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, type OutputOptions } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../native/build.mjs'
import { targetHere } from '../../src/runtime/cpu/addon-places.ts'
import { type InstalledHeed, installHeed, manifest, writeJson } from '../support/installed-heed.ts'

const built = await buildNative()
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heed-bundles-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const run = promisify(execFile)
const MINUTE = 60_000

const PROGRAM = `
import { defaultDevice, tensor } from 'heed'
console.log('imported')
async function main() {
  const a = tensor([[1, 2], [3, 4]])
  console.log([...(await a.matmul(a).data())].join(), defaultDevice().name)
}
main()`

/** Encodes texts on threads, and prints the ids and how many threads there were. */
const THREADS = `
import workers from 'node:worker_threads'
import { syncBuiltinESMExports } from 'node:module'
import { trainTokenizer } from 'heed/tokenizers'
import { encodeTexts } from 'heed/threads'
let started = 0
const { Worker } = workers
workers.Worker = class extends Worker {
  constructor(...given) { super(...given); started++ }
}
syncBuiltinESMExports()
async function main() {
  const tokenizer = trainTokenizer(['abc'], { type: 'char' })
  const ids = []
  for await (const part of encodeTexts(['ab', 'c'], tokenizer, { threads: 2, cacheDir: 'cache' })) ids.push(...part)
  console.log(ids.length, started)
}
main()`

const FORMATS: [string, OutputOptions][] = [
  ['bundle.mjs', { format: 'esm' }],
  ['bundle.cjs', { format: 'cjs' }],
]

describe.skipIf(!built.ok || !targetHere())('a bundle', () => {
  let installed: InstalledHeed
  const at = (name: string): string => join(installed.project, name)

  async function bundle(program: string, file: string, options: OutputOptions): Promise<void> {
    writeFileSync(at('main.mjs'), program)
    await build({
      cwd: installed.project,
      input: './main.mjs',
      platform: 'node',
      external: (id) => !/^(?:[./]|heed)/.test(id),
      output: { ...options, file: at(file), codeSplitting: false },
      logLevel: 'silent',
    })
  }

  async function start(file: string): Promise<{ out: string; errors: string }> {
    const env = { ...process.env, HEED_ADDON: '', HEED_DEVICE: '', NODE_OPTIONS: '' }
    const started = run(process.execPath, [file], { cwd: join(file, '..'), env })
    const { stdout, stderr } = await started.catch((error) => error)
    return { out: stdout, errors: stderr }
  }

  beforeAll(async () => {
    installed = await installHeed(join(folder, 'project'), built.path)
    for (const [file, options] of FORMATS) {
      await bundle(PROGRAM, file, options)
      await bundle(THREADS, `threads-${file}`, options)
    }
  }, 3 * MINUTE)

  describe.each(FORMATS.map(([file]) => file))('%s', (file) => {
    it('uses the addon that is installed', async () => {
      expect(await start(at(file))).toEqual({ out: 'imported\n7,10,15,22 cpu\n', errors: '' })
    })

    it('uses WebAssembly, and names the package, where the addon is missing', async () => {
      const hidden = `${installed.addonPackage}.hidden`
      renameSync(installed.addonPackage, hidden)
      try {
        const { out, errors } = await start(at(file))
        expect(out).toBe('imported\n7,10,15,22 wasm\n')
        expect(errors.trim().split('\n')).toHaveLength(1)
        expect(errors).toContain(`npm install @heed/${targetHere()?.name}@${manifest.version}`)
      } finally {
        renameSync(hidden, installed.addonPackage)
      }
    })

    it('encodes on threads', async () => {
      expect(await start(at(`threads-${file}`))).toEqual({ out: '3 2\n', errors: '' })
    })

    it('is imported where there is no heed, and says what to do when it computes', async () => {
      const alone = join(folder, `alone-${file}`)
      mkdirSync(alone)
      copyFileSync(at(file), join(alone, file))
      const { out, errors } = await start(join(alone, file))
      expect(out).toBe('imported\n')
      expect(errors).toContain(`The files of heed were not found from ${join(alone, file)}`)
      expect(errors).toContain('--external:heed')
    })

    it('does not use the files of another version', async () => {
      const path = join(installed.heed, 'package.json')
      const { name, type, exports } = manifest
      copyFileSync(path, `${path}.kept`)
      writeJson(path, { name, type, exports, version: '9.9.9' })
      try {
        const { out, errors } = await start(at(file))
        expect(out).toBe('imported\n')
        expect(errors).toContain(`The program contains heed ${manifest.version}, but`)
      } finally {
        renameSync(`${path}.kept`, path)
      }
    })
  })

  it('for a browser says that there is no build for browsers', async () => {
    writeFileSync(at('page.mjs'), PROGRAM)
    await build({
      cwd: installed.project,
      input: './page.mjs',
      platform: 'browser',
      output: { file: at('page.js'), format: 'iife' },
      logLevel: 'silent',
    })
    const { out, errors } = await start(at('page.js'))
    expect(out).toBe('')
    expect(errors).toMatch(/heed runs in Node, Bun and Deno; a build for browsers does not exist/)
  })

  it('finds the unpacked addon of an Electron archive', async () => {
    const packed = join(folder, 'resources', 'app.asar')
    const other = await installHeed(packed, built.path)
    writeFileSync(join(packed, 'main.mjs'), PROGRAM)
    const unpacked = other.addonPackage.replace('app.asar', 'app.asar.unpacked')
    mkdirSync(unpacked, { recursive: true })
    renameSync(other.addonFile, join(unpacked, 'heed.node'))
    expect(await start(join(packed, 'main.mjs'))).toEqual({
      out: 'imported\n7,10,15,22 cpu\n',
      errors: '',
    })
  })
})

it('each entry has types first, and Node before browsers', () => {
  for (const [entry, conditions] of Object.entries(manifest.exports))
    if (typeof conditions === 'object')
      expect([entry, ...Object.keys(conditions as object)]).toEqual(
        [entry, 'types', 'node', 'browser', 'default'], // biome-ignore format: one line
      )
})
