// The flag --import FILE of every command. The files are loaded before flags and help are built, so that both include
// what the files register.
import { type Command, Option } from 'commander'
import { checkImports } from '../train/run-imports.ts'
import { HeedError } from '../util/errors.ts'

/** Splits a command line into the values of --import and the other words. */
export function splitImports(argv: readonly string[]): { words: string[]; imports: string[] } {
  const words: string[] = []
  const imports: string[] = []
  const end = argv.indexOf('--')
  for (let i = 0; i < argv.length; i++) {
    const [flag, value] = [argv[i].slice(0, FLAG.length), argv[i].slice(FLAG.length)]
    const isImport = (end < 0 || i < end) && flag === FLAG && (value === '' || value[0] === '=')
    if (!isImport) words.push(argv[i])
    else imports.push(named(value === '' ? argv[++i] : value.slice(1)))
  }
  return { words, imports }
}

const FLAG = '--import'

function named(name: string | undefined): string {
  if (name !== undefined && name !== '' && !name.startsWith('-')) return name
  throw new HeedError('invalid-option', `${FLAG} must be followed by a file`, {
    key: 'import',
    value: name,
    remedy: 'For example: --import ./my-model.ts',
  })
}

/** The option for the help; its values are removed before the command line is parsed. */
export const importOption = (): Option =>
  new Option(
    `${FLAG} <file>`,
    'load a module that registers models, tasks, readers, optimizers … (repeatable)',
  )

/** Checks the imports of all runs named by the arguments and options of a command. */
export async function checkRuns(command: Command): Promise<void> {
  const { from, run, resume, out } = command.opts()
  const folders = [...command.args, from, run, resume && out]
  for (const folder of folders) if (typeof folder === 'string') await checkImports(folder)
}
