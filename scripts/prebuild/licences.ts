// Generates LICENSES.md of each package: third-party software in it, with the required notices.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../native/compile.mjs'
import type { Target } from '../../src/runtime/cpu/targets.ts'

/** Third-party software in a package. */
interface Part {
  name: string
  /** SPDX identifier. */
  licence: string
  where: string
  /** The required notice; '' if the licence requires none. */
  notice: string
}

/** Licences that an Apache-2.0 package can include. */
const ALLOWED = ['MIT', 'ISC', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'ZPL-2.1']

const LLVM = 'Apache-2.0 WITH LLVM-exception'

/** The files with the licence texts in zig's folder of libraries. */
const NATIVE = {
  'libc++, libc++abi': { licence: LLVM, notice: '' },
  libunwind: { licence: LLVM, notice: '' },
  "zig's compiler_rt": { licence: 'MIT', notice: '../LICENSE' },
  musl: { licence: 'MIT', notice: 'libc/musl/COPYRIGHT' },
  'mingw-w64 runtime': { licence: 'ZPL-2.1', notice: 'libc/mingw/COPYING' },
} as const

/** What zig links into the addon of each system. */
const LINKED: Record<string, readonly (keyof typeof NATIVE)[]> = {
  glibc: ['libc++, libc++abi', 'libunwind', "zig's compiler_rt"],
  musl: ['libc++, libc++abi', 'libunwind', "zig's compiler_rt", 'musl'],
  darwin: ['libc++, libc++abi', "zig's compiler_rt"],
  win32: ['libc++, libc++abi', 'libunwind', "zig's compiler_rt", 'mingw-w64 runtime'],
}

/** Copyright of the parts of wasi-libc that the WebAssembly files contain; the licence is MIT's. */
const MUSL = 'Copyright © 2005-2020 Rich Felker, et al.'

/** @param zigLibraries zig's folder `lib`; without it, as in tests of installation, the notices are left out */
export function licencesOfAddon({ os, libc }: Target, zigLibraries?: string): string {
  const parts = LINKED[libc ?? os].map((name) => ({
    name,
    licence: NATIVE[name].licence,
    where: 'heed.node',
    notice:
      zigLibraries && NATIVE[name].notice
        ? readFileSync(join(zigLibraries, NATIVE[name].notice), 'utf8')
        : '',
  }))
  return textOf(parts)
}

/** Of the main package, whose `dist` must be built. @throws Error where a licence is not among those allowed */
export function licencesOfMain(): string {
  const bundled = bundledPackages().map((name) => {
    const folder = join(root, 'node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const notice = readFileSync(join(folder, 'LICENSE'), 'utf8')
    return { name: `${name} ${version}`, licence: license, where: 'dist/*.js', notice }
  })
  return textOf(bundled)
}

export function licencesOfWasm(): string {
  const mit = readFileSync(join(root, 'node_modules/zod/LICENSE'), 'utf8')
  const notice = mit.replace(/^Copyright.*$/m, MUSL)
  return textOf([
    { name: 'musl, in wasi-libc', licence: 'MIT', where: '*.wasm', notice },
    { name: 'libc++, compiler-rt', licence: LLVM, where: '*.wasm', notice: '' },
  ])
}

/** The packages whose code is in dist: the bundler writes their licences there. */
function bundledPackages(): string[] {
  const files = readdirSync(join(root, 'dist')).filter((name) => name.endsWith('.LICENSE'))
  return files.map((name) => name.slice(0, -'.LICENSE'.length).replace('+', '/')).sort()
}

function textOf(parts: readonly Part[]): string {
  for (const { name, licence } of parts)
    if (!ALLOWED.includes(licence)) throw new Error(`The licence of ${name} must be one of ${ALLOWED.join(', ')}, got ${licence}`) // biome-ignore format: one line
  const rows = parts.map(({ name, licence, where }) => `| ${name} | ${licence} | ${where} |`)
  const notices = parts
    .filter(({ notice }) => notice)
    .map(({ name, notice }) => `## ${name}\n\n\`\`\`text\n${notice.trim()}\n\`\`\`\n`)
  return [
    '# Licences',
    '',
    'Heed is licensed under the Apache License 2.0 (LICENSE). This package also contains:',
    '',
    '| | licence | in |',
    '|---|---|---|',
    ...rows,
    '',
    ...notices,
  ].join('\n')
}
