// The compiler of all prebuilt addons: a fixed version of zig, from PyPI.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Compiler, root } from '../../native/compile.mjs'

/** Other versions give different bytes. */
const ZIG = '0.17.1'

const environment = join(root, 'build', 'zig')

/**
 * The path of zig: HEED_ZIG, or the wheel `ziglang`, which is installed in build/ if it is missing.
 * @throws Error if zig has another version or cannot be installed
 */
export function findZig(): string {
  const path = process.env.HEED_ZIG ?? installed() ?? install()
  const version = execFileSync(path, ['version'], { encoding: 'utf8' }).trim()
  if (version !== ZIG) throw new Error(`${path} must be zig ${ZIG}, got ${version}`)
  return path
}

function installed(): string | undefined {
  const library = join(environment, 'lib')
  if (!existsSync(library)) return undefined
  return readdirSync(library)
    .map((python) => join(library, python, 'site-packages', 'ziglang', 'zig'))
    .find(existsSync)
}

function install(): string {
  console.log(`Installing zig ${ZIG} (the wheel ziglang) in build/zig.`)
  execFileSync(pip(), ['install', '--quiet', `ziglang==${ZIG}`], { stdio: 'inherit' })
  const path = installed()
  if (path === undefined) throw new Error(`The wheel ziglang ${ZIG} holds no zig.`)
  return path
}

/** The path of pip in a virtual environment in build/, which is created if it is missing. */
export function pip(): string {
  const path = join(environment, 'bin', 'pip')
  if (existsSync(path)) return path
  mkdirSync(join(root, 'build'), { recursive: true })
  execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' })
  return path
}

/** Runs zig as a C++ compiler, without paths or debug information in objects. */
export function zigCompiler(path: string, target: string, cache: string): Compiler {
  return {
    command: [path, 'c++', '-target', target],
    version: `zig ${ZIG}`,
    flags: ['-g0', '-Werror', '-Wno-psabi', '-fvisibility-global-new-delete=force-hidden'],
    folders: ['native/prebuilt'],
    plainest: '', // what a target means without further flags
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache },
  }
}
