// The command `heed`: one file for each subcommand. A user's mistake prints its message and ends with
// code 2; everything else that goes wrong is a bug of ours and shows where.
import { Command, CommanderError } from 'commander'
import pc from 'picocolors'
import { HeedError } from '../util/errors.ts'
import { version } from '../util/version.ts'

/** Loaded when they are asked for: `heed generate` is not to wait for what only training needs. */
const subcommands: Record<string, (argv: readonly string[]) => Promise<Command>> = {
  train: async (argv) => (await import('./train.ts')).trainCommand(argv),
  data: async () => (await import('./data.ts')).dataCommand(),
  eval: async () => (await import('./eval.ts')).evalCommand(),
  predict: async () => (await import('./predict.ts')).predictCommand(),
  report: async () => (await import('./report.ts')).reportCommand(),
  generate: async () => (await import('./generate.ts')).generateCommand(),
  chat: async () => (await import('./chat.ts')).chatCommand(),
  fill: async () => (await import('./fill.ts')).fillCommand(),
  classify: async () => (await import('./classify.ts')).classifyCommand(),
  answer: async () => (await import('./answer.ts')).answerCommand(),
  translate: async () => (await import('./translate.ts')).translateCommand(),
  embed: async () => (await import('./embed.ts')).embedCommand(),
  tokenize: async () => (await import('./tokenize.ts')).tokenizeCommand(),
  inspect: async () => (await import('./inspect.ts')).inspectCommand(),
  convert: async () => (await import('./convert.ts')).convertCommand(),
  pull: async () => (await import('./pull.ts')).pullCommand(),
  push: async () => (await import('./push.ts')).pushCommand(),
  bench: async () => (await import('./bench.ts')).benchCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  build: async () => (await import('./build.ts')).buildCommand(),
}

const USER_MISTAKE = 2

export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('heed')
    .description('Train, run and look inside transformers, in TypeScript.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help for the options and examples.')
  const asked = argv[2]
  const wanted = Object.hasOwn(subcommands, asked) ? [asked] : Object.keys(subcommands)
  for (const name of wanted) program.addCommand(await subcommands[name](argv))
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
    if (error.remedy) process.stderr.write(`  ${error.remedy}\n`)
    return USER_MISTAKE
  }
  process.stderr.write(`${pc.red('heed: internal error')}\n${(error as Error)?.stack ?? error}\n`)
  return 1
}
