// The command `heed`. An error that the user can correct prints its
// message and exits with code 2. Any other error is a bug in Heed and prints its stack.
import { Command, CommanderError } from 'commander'
import pc from 'picocolors'
import { HeedError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import { commandNames, loadCommand } from './commands.ts'
import { printError, suggestion } from './print-error.ts'

// `heed generate … | head` closes the output, which is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})

/** The exit code after an error that the user can correct. */
const USER_ERROR = 2

export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('heed')
    .description('Train, run and inspect transformers, in TypeScript.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help for the options and examples.')
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error:/, pc.red('heed:'))),
    })
    .exitOverride()
  try {
    for (const name of namesFor(argv[2]))
      program.addCommand((await loadCommand(name, argv)).copyInheritedSettings(program))
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(
      error,
      program.commands.find((command) => command.name() === argv[2]),
    )
  }
}

/** The subcommands to load: the one that is called, or all of them for the general help. */
function namesFor(word: string | undefined): string[] {
  const names = commandNames()
  if (word === undefined || word.startsWith('-') || word === 'help') return names
  if (names.includes(word)) return [word]
  throw new HeedError('unknown-name', `There is no command '${word.slice(0, 80)}'`, {
    key: 'command',
    value: word,
    remedy: suggestion(word, names),
  })
}

/** Prints an error. @returns the exit code */
function report(error: unknown, command?: Command): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_ERROR
  if (error instanceof HeedError) {
    printError(error, command)
    return USER_ERROR
  }
  process.stderr.write(`${pc.red('heed: internal error')}\n${(error as Error)?.stack ?? error}\n`)
  return 1
}
