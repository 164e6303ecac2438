import { execFile, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../native/build.mjs'
import { type Registry, serveRegistry } from '../../scripts/installs/registry.ts'
import { addonFor, stagePackages } from '../../scripts/installs/stage.ts'
import { packageOf, targetHere } from '../../src/runtime/cpu/addon-places.ts'
import { targets } from '../../src/runtime/cpu/targets.ts'

await buildNative()
const target = targetHere()
const addon = target ? addonFor(target) : null
const built = existsSync(new URL('../../dist/cli.js', import.meta.url))

describe.skipIf(!target || !addon || !built)('npm install heed, in an empty folder', () => {
  const root = mkdtempSync(join(tmpdir(), 'heed-install-'))
  const project = join(root, 'project')
  let registry: Registry

  const run = (...[command, ...args]: string[]): { out: string; errors: string } => {
    const errors = join(root, 'errors')
    const out = execFileSync('sh', ['-c', 'exec "$@" 2> "$ERRORS"', 'sh', command, ...args], {
      cwd: project,
      env: { ...process.env, HEED_ADDON: '', HEED_DEVICE: '', NO_COLOR: '1', ERRORS: errors },
      encoding: 'utf8',
    })
    return { out, errors: readFileSync(errors, 'utf8') }
  }
  const doctor = () => run('node_modules/.bin/heed', 'doctor')
  const device = () =>
    run(process.execPath, '-e', 'import("heed").then((it) => console.log(it.defaultDevice().name))')

  beforeAll(async () => {
    registry = await serveRegistry(stagePackages(addon as string, join(root, 'packages')))
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "name": "mine", "private": true }')
    const settings = [`registry=${registry.url}`, `cache=${join(root, 'cache')}`, 'audit=false', 'fund=false'] // biome-ignore format: one line
    writeFileSync(join(project, '.npmrc'), settings.join('\n'))
    // The registry answers from this process: the installation must not block it.
    await new Promise<void>((resolve, reject) => {
      const args = ['install', 'heed', '--ignore-scripts', '--no-progress']
      execFile('npm', args, { cwd: project }, (error, out, errors) =>
        error ? reject(new Error(out + errors)) : resolve(),
      )
    })
  }, 120_000)

  afterAll(() => {
    registry?.close()
    rmSync(root, { recursive: true, force: true })
  })

  it('brings the addon of this system, and no other', () => {
    expect(readdirSync(join(project, 'node_modules', '@heed'))).toEqual([target?.name, 'wasm'])
    const foreign = targets.filter(({ os, cpu }) => os !== target?.os || cpu !== target.cpu)
    for (const it of foreign) expect(registry.fetched).not.toContain(packageOf(it))
  })

  it('is as small as promised', () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const packed = execFileSync('npm', args, { cwd: join(root, 'packages', 'heed') })
    expect(JSON.parse(packed.toString())[0].size).toBeLessThan(1.2e6)
    const path = join(project, 'node_modules', '@heed', target?.name as string, 'heed.node')
    expect(statSync(path).size).toBeLessThan(6e6)
  })

  it("computes README's example with it", () => {
    copyFileSync(new URL('../../examples/readme.ts', import.meta.url), join(project, 'example.mjs'))
    const { out, errors } = run(process.execPath, 'example.mjs')
    expect(out).toContain('Call me Ishmael. Some years ago')
    expect(errors).toBe('')
    expect(doctor().out).toContain('prebuilt addon')
    expect(device()).toEqual({ out: 'cpu\n', errors: '' })
  })

  it('has no scripts, and no dependency with an install script or a licence that Apache 2.0 excludes', () => {
    const folders = readdirSync(join(project, 'node_modules'), {
      recursive: true,
      encoding: 'utf8',
    })
    const manifests = folders.filter((path) => /(^|\/)package\.json$/.test(path))
    expect(manifests.length).toBeGreaterThan(10)
    for (const path of manifests) {
      const manifest = JSON.parse(readFileSync(join(project, 'node_modules', path), 'utf8'))
      const { scripts, name, license } = manifest
      if (name) expect(['MIT', 'ISC', 'Apache-2.0', 'BSD-3-Clause'], path).toContain(license)
      for (const name of ['preinstall', 'install', 'postinstall'])
        expect(scripts?.[name], `${name} in ${path}`).toBeUndefined()
    }
    const own = JSON.parse(readFileSync(join(project, 'node_modules/heed/package.json'), 'utf8'))
    expect(own.scripts).toBeUndefined()
    expect(own.devDependencies).toBeUndefined()
    const licences = readFileSync(join(project, 'node_modules/heed/LICENSES.md'), 'utf8')
    for (const name of ['zod', 'commander', 'picocolors']) expect(licences).toContain(name)
  })

  it('has a description whose links to files of the repository work on the npm page', () => {
    const own = JSON.parse(readFileSync(join(project, 'node_modules/heed/package.json'), 'utf8'))
    expect(own.repository.url).toMatch(/^git\+https:.*\.git$/) // npm resolves relative links by it
    const readme = readFileSync(join(project, 'node_modules/heed/README.md'), 'utf8')
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path)
    expect(links.length).toBeGreaterThan(3)
    for (const path of links) expect(existsSync(new URL(`../../${path}`, import.meta.url)), path).toBe(true) // biome-ignore format: one line
  })

  it('does not use an addon that has changed, and says so in one line', () => {
    const path = join(project, 'node_modules', '@heed', target?.name as string, 'heed.node')
    appendFileSync(path, 'x')
    const { out, errors } = device()
    expect(out).toBe('wasm\n')
    expect(errors).toContain(`native addon ${path} is ignored`)
    expect(errors).toContain('run `npm install`')
  })

  it('computes as WebAssembly without the addon, and names the package to install', () => {
    rmSync(join(project, 'node_modules', '@heed', target?.name as string), { recursive: true })
    const { out, errors } = device()
    expect(out).toBe('wasm\n')
    expect(errors).toContain(`npm install ${packageOf(target as never)}`)
  })

  it.each([
    ['of another version', (folder: string) => setVersion(folder, '9.9.9'), /got 9\.9\.9 in /],
    ['missing', (folder: string) => rmSync(folder, { recursive: true }), /got none/],
  ])('does not compute with WebAssembly that is %s, and names the package', (_, change, got) => {
    rmSync(join(project, 'node_modules', '@heed', target?.name as string), { recursive: true, force: true }) // biome-ignore format: one line
    change(join(project, 'node_modules', '@heed', 'wasm'))
    const script = 'import("heed").then((it) => it.device("wasm")).catch((e) => console.log(e.code, e.message, e.remedy))' // biome-ignore format: one line
    const { out } = run(process.execPath, '-e', script)
    expect(out).toMatch(/^missing-file /)
    expect(out).toMatch(got)
    expect(out).toContain('npm install @heed/wasm@')
  })
})

function setVersion(folder: string, version: string): void {
  const path = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...manifest, version }))
}
