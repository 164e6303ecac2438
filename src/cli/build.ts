import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { HeedError } from '../util/errors.ts'

export function buildCommand(): Command {
  return new Command('build')
    .description('Compile the native kernels for this machine, where no prebuilt addon fits it.')
    .option('--force', 'rebuild even if the kernels are up to date')
    .option('--verbose', 'print the commands of the compiler')
    .action(build)
}

async function build(options: { force?: boolean; verbose?: boolean }): Promise<void> {
  const script = findUp(dirname(fileURLToPath(import.meta.url)), join('native', 'build.mjs'))
  const { buildNative } = await import(pathToFileURL(script).href)
  const { ok, reason, detail, seconds } = await buildNative(options)
  if (!ok && detail) console.error(detail)
  if (!ok)
    throw new HeedError('unsupported', `The native kernels were not built: ${reason}`, {
      remedy: 'Install a C++ compiler (apt install g++), or set CXX to the path of one.',
    })
  console.log(`Built in ${seconds.toFixed(1)} s.`)
}

function findUp(folder: string, path: string): string {
  const candidate = join(folder, path)
  if (existsSync(candidate)) return candidate
  if (dirname(folder) === folder)
    throw new HeedError('missing-file', `${path} is missing from the package`, {
      remedy: 'Install heed again.',
    })
  return findUp(dirname(folder), path)
}
