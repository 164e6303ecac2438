// Which addon is used, and what is said of one that cannot be: it names the file and the remedy, in one line, and the next
// one or WebAssembly serves.
import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildNative } from '../../native/build.mjs'
import { faster } from '../../src/cli/doctor.ts'
import { ABI } from '../../src/runtime/cpu/addon-file.ts'
import { libcIn, packageOf, RECORDS, targetHere } from '../../src/runtime/cpu/addon-places.ts'
import { readHeader } from '../../src/runtime/cpu/library-header.ts'
import { targets } from '../../src/runtime/cpu/targets.ts'
import {
  type InstalledHeed,
  installHeed,
  manifest,
  recordOf,
  writeJson,
} from '../support/installed-heed.ts'
import { isOtherNode } from '../support/native.ts'

const { version } = manifest
const built = isOtherNode ? { ok: false, path: '' } : await buildNative()
const target = targetHere()
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'heed-addons-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const OTHER_CPU = process.arch === 'x64' ? 183 : 62

/** The start of a library: its magic number, and the number of its processor. */
function libraryStart(magic: number[], cpuAt: number, cpu: number[]): Buffer {
  const bytes = Buffer.alloc(4096)
  bytes.set(magic)
  bytes.set(cpu, cpuAt)
  return bytes
}
const peStart = libraryStart([0x4d, 0x5a], 132, [0x64, 0x86])
peStart.writeUInt32LE(128, 60)
peStart.write('PE\0\0', 128)

function compileOther(name: string, ...defines: string[]): string {
  const path = join(folder, name)
  const include = createRequire(import.meta.url)('node-api-headers').include_dir
  const source = fileURLToPath(new URL('other-addon.cc', import.meta.url))
  const shape = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'] // biome-ignore format: one line
  const args = [...shape, '-fPIC', `-isystem${include}`, ...defines, source, '-o', path]
  execFileSync(process.env.CXX ?? 'c++', args)
  return path
}

const marked = (abi: number, api: number): string =>
  `-DMARK="heed addon: interface ${abi}, Node-API ${api}"`

const cut =
  (bytes: number) =>
  (path: string): void =>
    truncateSync(path, bytes)
const contains = (bytes: Buffer) => (path: string) => writeFileSync(path, bytes)

/** One byte in the middle. */
function change(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1] ^= 1
  writeFileSync(path, bytes)
}

/** By what has happened to an addon: what is done to it, and what is said where its hash is not known. */
const DAMAGE: Record<string, [(path: string) => void, RegExp]> = {
  'is missing': [(path) => rmSync(path), /there is no such file/],
  'is a folder': [
    (path) => {
      rmSync(path)
      mkdirSync(path)
    },
    /it is a folder/,
  ],
  'is empty': [cut(0), /it is empty/],
  'cannot be read': [
    (path) => {
      rmSync(path)
      symlinkSync(path, path)
    },
    /it cannot be read \(ELOOP\)/,
  ],
  'is a text': [contains(Buffer.from('no library')), /not a library/],
  'is zeros': [contains(Buffer.alloc(100_000)), /not a library/],
  'is for Windows': [contains(peStart), /for Windows on x64, .* \w+ on \w+/],
  'is for macOS': [
    contains(libraryStart([0xcf, 0xfa, 0xed, 0xfe], 4, [12, 0, 0, 1])),
    /for macOS on arm64, .* \w+ on \w+/,
  ],
  'is for another processor': [
    (path) => {
      const bytes = readFileSync(path)
      bytes.writeUInt16LE(OTHER_CPU, 18)
      writeFileSync(path, bytes)
    },
    /for Linux on (?:arm64|x64), .* Linux on (?:arm64|x64)/,
  ],
  'ends within its header': [cut(40), /not a library/],
  'ends within its first page': [cut(1000), /at least \d+ bytes, .* 1000\b/],
  'is cut off': [cut(100_000), /at least \d+ bytes, .* 100000\b/],
  'is an addon of others': [
    (path) => copyFileSync(compileOther('others.node', '-DAPI=8'), path),
    /it is not an addon of heed/,
  ],
  'is of another version of Heed': [
    (path) => copyFileSync(compileOther('older.node', '-DAPI=8', marked(1, 8)), path),
    /another version of heed/,
  ],
  'is of a newer Node-API, which would end the process': [
    (path) => copyFileSync(compileOther('newer.node', '-DAPI=99', marked(ABI, 99)), path),
    /Node-API 99, .* \d+/,
  ],
}

describe.skipIf(!built.ok || !target || process.platform !== 'linux')('an installed heed', () => {
  let installed: InstalledHeed
  let fresh: string

  beforeAll(async () => {
    installed = await installHeed(join(folder, 'project'), built.path)
    fresh = join(folder, 'fresh')
    cpSync(dirname(installed.addonPackage), fresh, { recursive: true })
    writeFileSync(
      join(installed.project, 'main.mjs'),
      `import { defaultDevice } from 'heed'
       import { loadAddon } from 'heed/addon'
       console.log(defaultDevice().name, loadAddon().origin ?? 'none')`,
    )
  })

  beforeEach(() => {
    rmSync(dirname(installed.addonPackage), { recursive: true })
    cpSync(fresh, dirname(installed.addonPackage), { recursive: true })
    rmSync(builtFolder(), { recursive: true, force: true })
    writeRecord(recordOf(built.path))
  })

  const builtFolder = (): string => join(installed.heed, 'native', 'build')
  const writeRecord = (record?: object): void =>
    writeJson(join(installed.heed, RECORDS), record && target ? { [target.name]: record } : {})

  /** As `heed build` does. */
  function compileHere(): string {
    const path = join(builtFolder(), 'heed.node')
    mkdirSync(builtFolder(), { recursive: true })
    copyFileSync(built.path, path)
    writeJson(join(builtFolder(), 'heed.json'), recordOf(path))
    return path
  }

  async function start(
    setting = '',
    args = ['main.mjs'],
  ): Promise<{ used: string; said: string[] }> {
    const env = { ...process.env, HEED_ADDON: setting, HEED_DEVICE: '', NODE_OPTIONS: '' }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd: installed.project,
      env,
    })
    return { used: stdout.trim(), said: stderr.split('\n').filter(Boolean) }
  }

  it('uses the prebuilt addon, one that was compiled here before it, and HEED_ADDON before all', async () => {
    expect(await start()).toEqual({ used: 'cpu prebuilt', said: [] })
    compileHere()
    expect(await start()).toEqual({ used: 'cpu built', said: [] })
    const own = join(folder, 'own.so') // of any name
    copyFileSync(built.path, own)
    expect(await start(own)).toEqual({ used: 'cpu HEED_ADDON', said: [] })
  })

  it.each(Object.entries(DAMAGE))(
    'uses the next one where HEED_ADDON %s',
    async (_, [damage, says]) => {
      const path = join(mkdtempSync(join(folder, 'named-')), 'heed.node')
      copyFileSync(built.path, path)
      damage(path)
      const { used, said } = await start(path)
      expect(used).toBe('cpu prebuilt')
      expect(said).toEqual([expect.stringMatching(says)])
      expect(said[0]).toContain(`the native addon ${path} is ignored`)
      expect(said[0]).toContain('Correct HEED_ADDON, or unset it.')
    },
  )

  it.each(Object.entries({ ...DAMAGE, 'is changed': [change, /content/] as const }))(
    'computes on WebAssembly where the prebuilt addon %s',
    async (_, [damage]) => {
      damage(installed.addonFile)
      const { used, said } = await start()
      expect(used).toBe('wasm none')
      expect(said).toEqual([
        expect.stringMatching(
          /(?:\d+ bytes, .* \d+|its content has changed|it is a folder|it is empty|there is no such file|it cannot be read \(ELOOP\))\. Delete .* and run `npm install`\. Computing on wasm/,
        ),
      ])
      expect(said[0]).toContain(`the native addon ${installed.addonFile} is ignored`)
    },
  )

  it.each([
    ['is cut off', cut(100_000), /\d+ bytes, .* 100000\b/],
    ['has more bytes', (path: string) => appendFileSync(path, '!'), /\d+ bytes, .* \d+/],
  ])('uses the prebuilt addon where the compiled one %s', async (_, damage, says) => {
    damage(compileHere())
    const { used, said } = await start()
    expect(used).toBe('cpu prebuilt')
    expect(said).toEqual([expect.stringMatching(says)])
    expect(said[0]).toContain('Run `npx heed build` to compile it again.')
  })

  it.each([
    [
      'is missing (--omit=optional, or a lockfile of another system)',
      () => rmSync(installed.addonPackage, { recursive: true }),
      () => `the package ${name()} is not installed. Run \`npm install ${name()}\``,
    ],
    [
      'is of another version',
      () => writeJson(join(installed.addonPackage, 'package.json'), { version: '9.9.9' }),
      () => `this is heed ${version}. Run \`npm install ${name()}\``,
    ],
    [
      'has no hash in heed',
      () => writeRecord(),
      () =>
        `${RECORDS} has no hash for it. Run \`npm install heed@${version}\`, or \`npx heed build\``,
    ],
    [
      'has no hash, as heed has no list of them',
      () => rmSync(join(installed.heed, RECORDS)),
      () => `${RECORDS} has no hash for it`,
    ],
  ])(
    'computes on WebAssembly where the package of the addon %s, as doctor says too',
    async (_, damage, says) => {
      damage()
      const { used, said } = await start()
      expect(used).toBe('wasm none')
      expect(said).toEqual([expect.stringContaining(says())])
      expect(said[0]).toContain('Computing on wasm, about 3 to 8 times slower')
      const doctor = await start('', DOCTOR)
      expect(doctor.used).toContain(says())
      expect(doctor.used).toContain('Computing on: wasm')
      expect(doctor.used).toContain('Faster: native kernels')
    },
  )

  const name = (): string => `${packageOf(target as NonNullable<typeof target>)}@${version}`
  const DOCTOR = ['--input-type=module', '-e', `import { run } from './node_modules/heed/dist/cli.js'; await run(['node', 'heed', 'doctor'])`] // biome-ignore format: one line

  it('shows in doctor which addon is used, and why', async () => {
    expect((await start('', DOCTOR)).used).toContain(
      `prebuilt addon; none was compiled on this machine: ${installed.addonFile}`,
    )
    const own = compileHere()
    expect((await start('', DOCTOR)).used).toContain(
      `addon compiled on this machine, which has precedence over a prebuilt addon: ${own}`,
    )
    expect((await start(built.path, DOCTOR)).used).toContain(
      `addon named by HEED_ADDON: ${built.path}`,
    )
  })

  it('of two versions uses an addon each, and tensors of one are refused by the other', async () => {
    const other = await installHeed(join(installed.project, 'dependency'), built.path, '9.9.9')
    writeFileSync(
      join(installed.project, 'two.mjs'),
      `import { tensor } from 'heed'
       import { loadAddon } from 'heed/addon'
       import * as other from './dependency/node_modules/heed/dist/index.js'
       import * as otherAddon from './dependency/node_modules/heed/dist/addon.js'
       const [a, b] = [tensor([1, 2]), other.tensor([3, 4])]
       const sums = [[...(await a.add(1).data())], [...(await b.add(1).data())]]
       let message
       try { a.add(b) } catch (error) { message = error.message }
       console.log(JSON.stringify([sums, loadAddon().path, otherAddon.loadAddon().path, message]))`,
    )
    const { used, said } = await start('', ['two.mjs'])
    expect(said).toEqual([])
    expect(JSON.parse(used)).toEqual([
      [
        [2, 3],
        [4, 5],
      ],
      installed.addonFile,
      other.addonFile,
      expect.stringMatching(`^add: .* \\(${installed.heed}/dist and ${other.heed}/dist\\)$`),
    ])
  })

  it('writes nothing into node_modules', async () => {
    const before = listing()
    await start()
    await start('', DOCTOR)
    expect(listing()).toEqual(before)
  })

  const listing = (): string =>
    execFileSync('find', [installed.heed, installed.addonPackage, '-printf', '%p %s %T@\n'], {
      encoding: 'utf8',
    })

  // Permissions do not hold for root, which becomes another user.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

  it('computes on WebAssembly where the addon may not be read', () => {
    execFileSync('chmod', ['755', folder])
    execFileSync('chmod', ['000', installed.addonFile])
    // Node and the packages may lie where the other user may not look.
    const can = ['main.mjs', process.execPath].every((path) => readable(path))
    if (!can) return
    const out = execFileSync('sh', ['-c', `"${process.execPath}" main.mjs 2>&1`], {
      cwd: installed.project,
      encoding: 'utf8',
      ...user,
    })
    expect(out).toMatch(/heed\.node is ignored: it cannot be read \(EACCES\)/)
    expect(out).toMatch(/^wasm none$/m)
  })

  function readable(path: string): boolean {
    try {
      execFileSync('head', ['-c1', path], { cwd: installed.project, stdio: 'ignore', ...user })
      return true
    } catch {
      return false
    }
  }
})

describe.skipIf(!built.ok)('heed build', () => {
  it('says where it cannot write', () => {
    const copy = join(folder, 'unwritable')
    for (const part of ['native', 'kernels', 'package.json'])
      cpSync(join(built.path, '../../..', part), join(copy, part), {
        recursive: true,
        filter: (path) => !/native\/build(?:\/|$)/.test(path),
      })
    mkdirSync(join(copy, 'node_modules'))
    symlinkSync(
      dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')),
      join(copy, 'node_modules/node-api-headers'),
    )
    writeFileSync(join(copy, 'native/build'), 'a file where a folder is to be')
    const script = `import { buildNative } from './native/build.mjs'; console.log(JSON.stringify(await buildNative()))`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: copy,
      encoding: 'utf8',
    })
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      reason: `${join(realpathSync(copy), 'native/build')} cannot be written (EEXIST)`,
      remedy: expect.stringContaining('HEED_ADDON'),
    })
  })
})

describe('what would be faster', () => {
  const best = { device: 'cpu', cpu: { isa: 'avx2', threads: 8 }, isas: ['avx2', 'baseline'], cores: 8 } // biome-ignore format: one line

  it.each([
    ['nothing', best, []],
    ['the cpu', { ...best, device: 'wasm' }, [/device cpu: unset HEED_DEVICE/]],
    ['an instruction set', { ...best, cpu: { isa: 'baseline', threads: 8 } }, [/avx2: unset HEED_ISA/]], // biome-ignore format: one line
    ['threads', { ...best, cpu: { isa: 'avx2', threads: 1 } }, [/8 threads: unset HEED_THREADS/]],
    ['the native kernels', { ...best, cpu: null }, [/native kernels/]],
    ['a newer processor', { ...best, cpu: { isa: 'baseline', threads: 8 }, isas: ['baseline'] }, [/a processor with AVX2, .* baseline kernels/]], // biome-ignore format: one line
  ])('is %s', (_, state, lines) => {
    expect(faster(state)).toEqual(lines.map((line) => expect.stringMatching(line)))
  })
})

describe('a prebuilt addon', () => {
  it('is that of this system', () => {
    if (target) expect([target.os, target.cpu]).toEqual([process.platform, process.arch])
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    if (process.platform === 'linux')
      expect(target?.libc).toBe(header.glibcVersionRuntime ? 'glibc' : 'musl')
  })

  it.each([
    ['/usr/lib/x86_64-linux-gnu/libc.so.6', 'glibc'], // Debian
    ['/usr/lib64/libc.so.6', 'glibc'], // Fedora
    ['/usr/lib/aarch64-linux-gnu/libc-2.31.so', 'glibc'], // older Debian
    ['/lib/ld-musl-x86_64.so.1', 'musl'], // Alpine
    ['/usr/lib/x86_64-linux-musl/libc.so', 'musl'], // Debian's package musl
    ['/usr/bin/node', undefined],
  ])('is for the C library of the process, which maps %s', (path, libc) => {
    const line = (file: string): string => `7f12a-7f12b r-xp 00000000 fe:00 123    ${file}\n`
    expect(libcIn(line('/usr/lib/libstdc++.so.6') + line(path) + line('[stack]'))).toBe(libc)
  })

  it('has a name of its own for each system', () => {
    expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length)
    expect(new Set(targets.map(({ zig }) => zig)).size).toBe(targets.length)
  })
})

it('the header of a library is read only as far as it goes', () => {
  const whole = existsSync(built.path) ? readFileSync(built.path).subarray(0, 4096) : peStart
  for (const bytes of [whole, peStart, Buffer.from('MZ'), Buffer.from('\x7fELF', 'latin1')])
    for (const size of [0, 1, 4, 5, 20, 63, 64, 65, 130, 133]) readHeader(bytes.subarray(0, size))
})
