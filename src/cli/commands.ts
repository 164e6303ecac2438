// The subcommands, one file for each.
import type { Command } from 'commander'

/** Loaded on demand, so that `heed generate` does not wait for modules that only training needs. */
const subcommands: Record<string, (argv: readonly string[]) => Promise<Command>> = {
  train: async (argv) => (await import('./train.ts')).trainCommand(argv),
  data: async () => (await import('./data.ts')).dataCommand(),
  eval: async () => (await import('./eval.ts')).evalCommand(),
  predict: async () => (await import('./predict.ts')).predictCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
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

/** Commands that neither train nor run a model: they need none of the imports of a run. */
const withoutRuns: ReadonlySet<string> = new Set(['pull', 'push', 'bench', 'doctor', 'build'])

export const opensRuns = (name: string): boolean => !withoutRuns.has(name)

export const commandNames = (): string[] => Object.keys(subcommands)

/** `argv` selects the options that the help of some commands shows. */
export const loadCommand = (name: string, argv: readonly string[]): Promise<Command> =>
  subcommands[name](argv)
