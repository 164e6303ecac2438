// The command `heed`: one file for each subcommand. A user's mistake prints its message and ends with
// code 2; everything else that goes wrong is a bug of ours and shows where.
import { Command, CommanderError } from 'commander'
import pc from 'picocolors'
import { HeedError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import { benchCommand } from './bench.ts'
import { buildCommand } from './build.ts'
import { doctorCommand } from './doctor.ts'
import { generateCommand } from './generate.ts'
import { inspectCommand } from './inspect.ts'
import { trainCommand } from './train.ts'

const USER_MISTAKE = 2

export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('heed')
    .description('Train, run and look inside transformers, in TypeScript.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help for the options and examples.')
    .addCommand(trainCommand())
    .addCommand(generateCommand())
    .addCommand(inspectCommand())
    .addCommand(benchCommand())
    .addCommand(doctorCommand())
    .addCommand(buildCommand())
  for (const command of [program, ...program.commands]) command.exitOverride()
  // `heed generate … | head` closes our output: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error)
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_MISTAKE
  if (error instanceof HeedError) {
    process.stderr.write(`${pc.red('heed:')} ${error.message}\n`)
    return USER_MISTAKE
  }
  process.stderr.write(`${pc.red('heed: internal error')}\n${(error as Error)?.stack ?? error}\n`)
  return 1
}
