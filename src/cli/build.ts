import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { HeedError } from '../util/errors.ts'

export function buildCommand(): Command {
  return new Command('build')
    .description('Compile the native kernels, as npm install does unless it skips scripts.')
    .option('--force', 'even if they are up to date')
    .option('--verbose', "show the compiler's commands")
    .action(build)
}

async function build(options: { force?: boolean; verbose?: boolean }): Promise<void> {
  const script = findUp(dirname(fileURLToPath(import.meta.url)), join('native', 'build.mjs'))
  const { buildNative } = await import(pathToFileURL(script).href)
  const { ok, reason, detail, seconds } = await buildNative(options)
  if (!ok && detail) console.error(detail)
  if (!ok)
    throw new HeedError('invalid-option', `The native kernels were not built: ${reason}`, {
      remedy: 'Install a C++ compiler (apt install g++), or name one with CXX.',
    })
  console.log(`Built in ${seconds.toFixed(1)} s.`)
}

function findUp(folder: string, path: string): string {
  const found = join(folder, path)
  if (existsSync(found)) return found
  if (dirname(folder) === folder)
    throw new HeedError('invalid-option', `${path} is missing from the package`)
  return findUp(dirname(folder), path)
}
