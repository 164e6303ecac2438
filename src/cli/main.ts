// The command `heed`. An error that the user can correct prints its message and exits with code 2. Any other
// error is a bug in Heed and prints its stack.
import { Command, CommanderError } from 'commander'
import { HeedError } from '../util/errors.ts'
import { loadImports } from '../util/imports.ts'
import { checkSettings } from '../util/settings.ts'
import { version } from '../util/version.ts'
import { watchOutput } from './closed-output.ts'
import { stderrColors } from './colors.ts'
import { commandNames, LAST_GROUP, loadCommand, opensRuns } from './commands.ts'
import { checkRuns, importOption, splitImports } from './imports.ts'
import { commandFor, optionFor } from './other-names.ts'
import { printError, suggestion } from './print-error.ts'

watchOutput()

/** The exit code after an error that the user can correct. */
const USER_ERROR = 2

export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('heed')
    .description('Train, run and inspect transformers, in TypeScript.')
    .version(version, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help for the options and an example.')
    .helpOption('-h, --help', 'show help')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('Show the options and examples of a command.')
        .helpGroup(LAST_GROUP),
    )
    .configureOutput({
      outputError: (text, write) =>
        write(withOption(text, program).replace(/^error:/, stderrColors.red('heed:'))),
    })
    .exitOverride()
    .addOption(importOption())
  try {
    checkSettings()
    const { words, imports } = splitImports(argv)
    await loadImports(imports)
    for (const name of namesFor(words[2], words[3]))
      program.addCommand(await subcommand(name, words, program))
    await program.parseAsync(words)
  } catch (error) {
    const [command, ...others] = program.commands
    process.exitCode = report(error, others.length === 0 ? command : program)
  }
}

/** Adds what Heed calls an option of another tool, where commander knows no similar one. */
function withOption(text: string, { commands }: Command): string {
  const [, unknown] = /^error: unknown option '([^'=\s]+)(?:=[^'\n]*)?'\n?$/.exec(text) ?? []
  if (unknown === undefined || commands.length !== 1) return text
  const known = commands[0].options.flatMap(({ long }) => long ?? [])
  const option = optionFor(unknown, known)
  return option === undefined ? text : `${text.trimEnd()}\n(Did you mean ${option}?)\n`
}

async function subcommand(
  name: string,
  words: readonly string[],
  program: Command,
): Promise<Command> {
  const command = await loadCommand(name, words)
  if (opensRuns(name)) command.hook('preAction', (_, action) => checkRuns(action))
  return command.copyInheritedSettings(program).addOption(importOption())
}

/** The subcommands to load: the one that is called, or all of them for the general help. */
function namesFor(word: string | undefined, next: string | undefined): string[] {
  const names = commandNames()
  if (word === 'help' && next !== undefined && next !== word) namesFor(next, undefined) // checks the name
  if (word === undefined || word.startsWith('-') || word === 'help') return names
  if (names.includes(word)) return [word]
  throw new HeedError('unknown-name', `There is no command '${word.slice(0, 80)}'`, {
    key: 'command',
    value: word,
    remedy: commandFor(word) ?? suggestion(word, names),
  })
}

/** Prints an error. @returns the exit code */
function report(error: unknown, command?: Command): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_ERROR
  if (error instanceof HeedError) {
    printError(error, command)
    return USER_ERROR
  }
  process.stderr.write(
    `${stderrColors.red('heed: internal error')}\n${(error as Error)?.stack ?? error}\n`,
  )
  return 1
}
