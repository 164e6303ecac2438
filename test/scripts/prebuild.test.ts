import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildNative } from '../../native/build.mjs'
import { instructionSets, root } from '../../native/compile.mjs'
import { compareVersions, readBinary } from '../../scripts/prebuild/binary.ts'
import { ENTRY_POINTS, problemsOf } from '../../scripts/prebuild/check.ts'
import { writeMainPackage } from '../../scripts/prebuild/package.ts'
import { targets } from '../../src/runtime/cpu/targets.ts'

const built = await buildNative()
const [linux] = targets.filter(({ os, cpu }) => os === 'linux' && cpu === process.arch)

// The addon that was compiled here is one for Linux that needs more than it may: each check finds what is its own.
describe.skipIf(!built.ok || process.platform !== 'linux')('a built addon', () => {
  const bytes = built.ok ? readFileSync(built.path) : Buffer.alloc(0)
  const changed = (from: string, to: string): Buffer =>
    Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1')

  it('is read', () => {
    const { format, cpu, exports, imports, needs, glibc } = readBinary(bytes)
    expect([format, cpu]).toEqual(['ELF', process.arch])
    for (const name of ENTRY_POINTS) expect(exports).toContain(name)
    expect(imports).toContain('napi_create_function')
    expect(needs).toContain('libc.so.6')
    expect(glibc).toMatch(/^2\.\d+$/)
  })

  it('may not be a file of zeros', () => {
    expect(problemsOf(Buffer.alloc(bytes.length), linux)).toEqual([
      'no library: it begins with 00000000',
    ])
  })

  it('may not be for another processor or system', () => {
    for (const target of targets.filter(({ os, cpu }) => os !== 'linux' || cpu !== process.arch))
      expect(problemsOf(bytes, target).join()).toMatch(/it must be (?:ELF|Mach-O|PE|for)/)
  })

  it('may not give symbols to others', () => {
    const other = changed('napi_register_module_v1', 'napi_register_module_v9')
    expect(problemsOf(other, linux).join()).toMatch(
      /must export Node-API's entry points alone, got .*v9/,
    )
    expect(problemsOf(other, linux).join()).toMatch(/must export napi_register_module_v1/)
  })

  it('must have every instruction set of its processor', () => {
    const [[best]] = instructionSets[process.arch]
    expect(problemsOf(bytes, linux).join()).not.toMatch(/instruction sets/)
    const other = changed(`${best}\0`, `${best.replaceAll(/./g, 'x')}\0`)
    expect(problemsOf(other, linux).join()).toMatch(`must have the instruction sets ${best}`)
  })

  it('may not name a folder of this machine', () => {
    const message = 'must hold no path of this machine'
    expect(problemsOf(bytes, linux).join()).not.toMatch(message)
    const other = Buffer.concat([bytes, Buffer.from(join(root, 'build', 'heed.node'))])
    expect(problemsOf(other, linux).join()).toMatch(`${message}, got ${root}`)
  })

  it('may not lack functions of ours', () => {
    const message = 'no undefined symbols of heed'
    expect(problemsOf(bytes, linux).join()).not.toMatch(message)
    const lacking = changed('napi_create_function', '_ZN4heed8functionEvx')
    expect(problemsOf(lacking, linux).join()).toMatch(`${message}, got _ZN4heed8functionEvx`)
  })

  it('may not need a newer glibc', () => {
    const { glibc } = readBinary(bytes)
    const newer = changed(`GLIBC_${glibc}`, 'GLIBC_2.99')
    expect(problemsOf(newer, linux).join()).toMatch(/must load with glibc 2\.28, needs 2\.99/)
  })

  it('must hold the mark of an addon', () => {
    const other = changed('heed addon: interface', 'heed addon! interface')
    expect(problemsOf(other, linux).join()).toMatch(/must hold the mark of an addon of heed/)
    expect(problemsOf(bytes, linux).join()).not.toMatch(/mark/)
  })

  it('may not need other libraries', () => {
    const other = changed('libc.so.6', 'libx.so.6')
    expect(problemsOf(other, linux).join()).toMatch(
      /must need the system's libraries alone, got .*libx/,
    )
  })
})

it('versions are compared part by part', () => {
  const versions = ['2.28', '2.9', '2.17', '2.2.5', '3', '2.28.1']
  expect(versions.sort(compareVersions)).toEqual(['2.2.5', '2.9', '2.17', '2.28', '2.28.1', '3'])
})

it.skipIf(!existsSync(new URL('../../dist/index.js', import.meta.url)))(
  'an addon without a record is not published: neither its package nor a dependency on it is left',
  () => {
    const into = mkdtempSync(join(tmpdir(), 'heed-packages-'))
    try {
      const [current, stale] = targets
      for (const { name } of [current, stale]) mkdirSync(join(into, name))
      const main = writeMainPackage({ [current.name]: { bytes: 1, sha256: '00' } }, into)
      const { optionalDependencies } = JSON.parse(readFileSync(join(main, 'package.json'), 'utf8'))
      expect(Object.keys(optionalDependencies).join()).toMatch(new RegExp(`/${current.name}$`))
      expect([existsSync(join(into, current.name)), existsSync(join(into, stale.name))]).toEqual([true, false]) // biome-ignore format: one line
    } finally {
      rmSync(into, { recursive: true, force: true })
    }
  },
)
