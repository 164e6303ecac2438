// Formats C++ by .clang-format: `npm run format`. With `--check`, it only reports files that differ. The formatter is a
// pinned npm package with binaries for some platforms; on other platforms the check is skipped.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folders = [
  'kernels/cpp',
  'native',
  ...['posix', 'prebuilt', 'wasm', 'windows'].map((name) => `native/${name}`),
  'test/native',
]

const formatter = join(
  root,
  'node_modules/clang-format/bin',
  `${process.platform}_${process.arch === 'arm64' && process.platform === 'darwin' ? 'x64' : process.arch}`,
  'clang-format',
)

const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => join(folder, name)),
)

if (!existsSync(formatter)) {
  console.log('C++ format: not checked, because clang-format is not installed for this platform')
} else if (process.argv.includes('--check')) {
  try {
    execFileSync(formatter, ['--dry-run', '--Werror', ...files], { cwd: root, stdio: 'inherit' })
  } catch {
    console.error('C++ format: run `npm run format`')
    process.exitCode = 1
  }
} else {
  execFileSync(formatter, ['-i', ...files], { cwd: root, stdio: 'inherit' })
}
