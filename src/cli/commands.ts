// The subcommands, one file for each, in the groups of `heed --help`.
import type { Command } from 'commander'

type Load = (argv: readonly string[]) => Promise<Command>

/** Loaded on demand, so that `heed generate` does not wait for modules that only training needs. */
const groups: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  'Train:': {
    train: async (argv) => (await import('./train.ts')).trainCommand(argv),
    distill: async (argv) => (await import('./distill.ts')).distillCommand(argv),
    align: async (argv) => (await import('./align.ts')).alignCommand(argv),
    eval: async () => (await import('./eval.ts')).evalCommand(),
    report: async () => (await import('./report.ts')).reportCommand(),
  },
  'Use a model:': {
    predict: async () => (await import('./predict.ts')).predictCommand(),
    generate: async () => (await import('./generate.ts')).generateCommand(),
    chat: async () => (await import('./chat.ts')).chatCommand(),
    fill: async () => (await import('./fill.ts')).fillCommand(),
    classify: async () => (await import('./classify.ts')).classifyCommand(),
    answer: async () => (await import('./answer.ts')).answerCommand(),
    translate: async () => (await import('./translate.ts')).translateCommand(),
    embed: async () => (await import('./embed.ts')).embedCommand(),
  },
  'Look inside:': {
    inspect: async () => (await import('./inspect.ts')).inspectCommand(),
    tokenize: async () => (await import('./tokenize.ts')).tokenizeCommand(),
    bench: async () => (await import('./bench.ts')).benchCommand(),
    doctor: async () => (await import('./doctor.ts')).doctorCommand(),
    verify: async () => (await import('./verify.ts')).verifyCommand(),
  },
  'Files:': {
    data: async () => (await import('./data.ts')).dataCommand(),
    convert: async () => (await import('./convert.ts')).convertCommand(),
    merge: async () => (await import('./merge.ts')).mergeCommand(),
    pull: async () => (await import('./pull.ts')).pullCommand(),
    push: async () => (await import('./push.ts')).pushCommand(),
  },
  'Setup:': {
    build: async () => (await import('./build.ts')).buildCommand(),
  },
}

export const LAST_GROUP = 'Setup:'

/** Commands that neither train nor run a model: they do not need the imports of a run. */
const withoutRuns: ReadonlySet<string> = new Set(['pull', 'push', 'bench', 'doctor', 'build'])

export const opensRuns = (name: string): boolean => !withoutRuns.has(name)

/** The names of all commands, in the order of the help. */
export const commandNames = (): string[] =>
  Object.values(groups).flatMap((commands) => Object.keys(commands))

/** `argv` selects the options that the help of some commands shows. */
export async function loadCommand(name: string, argv: readonly string[]): Promise<Command> {
  const found = Object.entries(groups).find(([, commands]) => Object.hasOwn(commands, name))
  if (!found) throw new RangeError(`no command ${name}`)
  const [group, commands] = found
  return (await commands[name](argv)).helpGroup(group)
}
