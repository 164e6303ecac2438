import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../native/build.mjs'
import { damageOf, targetHere } from '../../src/runtime/cpu/addon-places.ts'
import { targets } from '../../src/runtime/cpu/targets.ts'

const built = await buildNative()
const folder = mkdtempSync(join(tmpdir(), 'heed-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const root = new URL('../../', import.meta.url).pathname

/** What a process with this setting prints: the addon that it uses, and its warnings. */
function loaded(setting: string): { origin: string; errors: string } {
  const script = `
    import { loadAddon } from './src/runtime/cpu/addon.ts'
    const { addon, origin, reason } = loadAddon()
    console.log(JSON.stringify({ origin: addon ? origin : reason }))`
  const loader = ['--import', './scripts/typescript/register.mjs', '--input-type=module']
  const errors = join(folder, 'errors')
  const out = execFileSync(
    'sh',
    ['-c', 'exec "$@" 2> "$ERRORS"', 'sh', process.execPath, ...loader, '-e', script],
    {
      cwd: root,
      env: { ...process.env, HEED_ADDON: setting, ERRORS: errors },
      encoding: 'utf8',
    },
  )
  return { ...JSON.parse(out), errors: readFileSync(errors, 'utf8') }
}

describe.skipIf(!built.ok)('the addon that is used', () => {
  it('is the one that was compiled here', () => {
    expect(loaded('')).toEqual({ origin: 'built', errors: '' })
  })

  it('is the one that HEED_ADDON names', () => {
    const path = join(folder, 'own.node')
    copyFileSync(built.path, path)
    expect(loaded(path)).toEqual({ origin: 'HEED_ADDON', errors: '' })
  })

  it.each([
    ['is not there', () => join(folder, 'nowhere.node')],
    ['is a folder', () => folder],
    [
      'is no library',
      () => {
        const path = join(folder, 'text.node')
        writeFileSync(path, 'no library')
        return path
      },
    ],
    [
      'is cut off',
      () => {
        const path = join(folder, 'short.node')
        copyFileSync(built.path, path)
        truncateSync(path, 4096)
        return path
      },
    ],
    [
      'is no addon of Heed',
      () => {
        const path = join(folder, 'other')
        mkdirSync(path)
        writeFileSync(join(path, 'index.js'), 'module.exports = { abi: "no" }')
        return join(path, 'index.js')
      },
    ],
    [
      'is of another version',
      () => {
        const path = join(folder, 'older.js')
        writeFileSync(path, 'module.exports = { abi: 1, kernels: [] }')
        return path
      },
    ],
  ])('is the next one where HEED_ADDON %s, which is said in one line', (_, make) => {
    const path = make()
    const { origin, errors } = loaded(path)
    expect(origin).toBe('built')
    expect(errors.trim().split('\n')).toHaveLength(1)
    expect(errors).toContain(`The native addon ${path} is ignored`)
    expect(errors).toContain('Correct HEED_ADDON, or unset it.')
  })
})

describe('a prebuilt addon', () => {
  const path = join(folder, 'published.node')
  const bytes = Buffer.from('the bytes that were published')
  const record = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }

  it('is taken as it was published only', () => {
    writeFileSync(path, bytes)
    expect(damageOf(path, record)).toBeNull()
    writeFileSync(path, bytes.subarray(1))
    expect(damageOf(path, record)).toMatch(/has 28 bytes and must have 29/)
    writeFileSync(path, bytes.toString().replace('t', 'T'))
    expect(damageOf(path, record)).toMatch(/not the file that was published/)
    expect(damageOf(join(folder, 'none'), record)).toMatch(/cannot be read \(ENOENT\)/)
  })

  it('is that of this system', () => {
    const target = targetHere()
    if (target) expect([target.os, target.cpu]).toEqual([process.platform, process.arch])
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    if (process.platform === 'linux')
      expect(target?.libc).toBe(header.glibcVersionRuntime ? 'glibc' : 'musl')
  })

  it('has a name of its own for each system', () => {
    expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length)
    expect(new Set(targets.map(({ zig }) => zig)).size).toBe(targets.length)
  })
})
