import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { HeedError } from '../util/errors.ts'
import { noFolder, packageFolder } from '../util/package-folder.ts'
import { addExamples } from './examples.ts'

export function buildCommand(): Command {
  const command = new Command('build')
    .description('Compile the native kernels for a machine without a prebuilt addon.')
    .option('--force', 'rebuild even if the kernels are up to date')
    .option('--verbose', 'print the compiler commands')
    .action(build)
  return addExamples(command, 'nothing', ['npx heed build'])
}

async function build(options: { force?: boolean; verbose?: boolean }): Promise<void> {
  const folder = packageFolder()
  if (folder === null) throw noFolder()
  const script = join(folder, 'native', 'build.mjs')
  const { buildNative } = await import(pathToFileURL(script).href)
  const { ok, reason, remedy, detail, seconds } = await buildNative(options)
  if (!ok && detail) console.error(detail)
  if (!ok)
    throw new HeedError('unsupported', `The native kernels were not built: ${reason}`, { remedy })
  console.log(`Built in ${seconds.toFixed(1)} s.`)
}
