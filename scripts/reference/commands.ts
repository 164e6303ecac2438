// A page for each command with its arguments, options and examples, from the definitions that --help shows, and a page
// that lists the commands.
import type { Argument, Command, Option } from 'commander'
import type { z } from 'zod'
import { commandNames, loadCommand } from '../../src/cli/commands.ts'
import { COMPLETE } from '../../src/cli/examples.ts'
import { withFlags } from '../../src/cli/print-error.ts'
import { optionsOf } from '../../src/cli/train.ts'
import { type OptimizerDefinition, optimizerDefinitions } from '../../src/optim/index.ts'
import { commonSchema } from '../../src/train/config-schema.ts'
import type { TaskDefinition } from '../../src/train/task.ts'
import { taskDefinitions } from '../../src/train/tasks/index.ts'
import { flagOf } from '../../src/util/flag-of.ts'
import { code, page, plain, table } from './markdown.ts'

/** The pages by path. */
export async function commandPages(): Promise<Record<string, string>> {
  const commands = await Promise.all(commandNames().map((name) => loadCommand(name, [])))
  const pages: Record<string, string> = { 'commands.md': overview(commands) }
  for (const command of commands) {
    pages[`commands/${command.name()}.md`] = commandPage(command)
  }
  return pages
}

function overview(commands: readonly Command[]): string {
  const groups = new Map<string, Command[]>()
  for (const command of commands) {
    const group = command.helpGroup()
    groups.set(group, [...(groups.get(group) ?? []), command])
  }
  const sections = [...groups].flatMap(([group, members]) => [
    `## ${group.replace(/:$/, '')}`,
    table(['command', 'description'], members.map((it) => [`[${code(`heed ${it.name()}`)}](commands/${it.name()}.md)`, plain(it.description())])), // biome-ignore format: one line
  ])
  return page('Commands', INTRODUCTION, ...sections)
}

const INTRODUCTION = `\`npx heed COMMAND\` runs a command; \`npx heed COMMAND --help\` prints what its page here shows. Results go to standard
output, progress and warnings to standard error. The exit code is 0 after success, 2 after an error that you can correct,
1 after a fault of Heed, and 130 after a second Ctrl-C. Every command accepts \`--import FILE\`, which loads a module that
registers models, tasks, readers or optimizers.`

function commandPage(command: Command): string {
  const usage = `\`\`\`text\nheed ${command.name()} ${command.usage()}\n\`\`\``
  return page(
    `heed ${command.name()}`,
    plain(command.description()),
    usage,
    argumentTable(command.registeredArguments),
    ...optionTables(command),
    ...(command.name() === 'train' ? trainSections(command) : []),
    ...textAfter(command),
  )
}

const argumentTable = (list: readonly Argument[]): string =>
  table(['argument', 'description'], list.map((it) => [code(it.name()), plain(it.description)])) // biome-ignore format: one line

/** The options in the groups of the help. */
function optionTables(command: Command): string[] {
  const help = command.createHelp()
  const visible = help.visibleOptions(command).filter(({ long }) => !isElsewhere(long ?? '')) // biome-ignore format: one line
  const groups = help.groupItems([...command.options], visible, ({ helpGroupHeading }) => helpGroupHeading ?? 'Options:') // biome-ignore format: one line
  return [...groups].flatMap(([group, options]) =>
    options.length > 0 ? [`## ${group.replace(/:$/, '')}`, optionTable(options, command)] : [],
  )
}

/** Options of every command, which the overview describes, and of the default optimizer, which have their own section. */
const isElsewhere = (flag: string): boolean =>
  flag === '--help' || Object.keys(optimizerDefinitions()[0].options.shape).some((key) => [flagOf(key), flagOf(key).replace('--', '--no-')].includes(flag)) // biome-ignore format: one line

function optionTable(options: readonly Option[], command: Command): string {
  const help = command.createHelp()
  return table(['option', 'description'], options.map((it) => [code(help.optionTerm(it)), plain(help.optionDescription(it))])) // biome-ignore format: one line
}

/** The sections of tasks and optimizers, which add options to `heed train`. */
function trainSections(command: Command): string[] {
  const section = ({ name, about, options, defaults, columns }: Definition): string[] => {
    const own = Object.entries<z.ZodType>(options.shape).flatMap(([key, schema]) => optionsOf(key, schema, defaults)) // biome-ignore format: one line
    for (const option of own)
      option.description = withFlags(option.description, [...own, ...command.options])
    return [
      `### ${name}`,
      sentence(about),
      columns ? sentence(withFlags(`Data: ${columns}`, own)) : '',
      defaultsText(defaults),
      optionTable(own, command),
    ]
  }
  return [
    '## Options of a task',
    ...taskDefinitions().flatMap(section),
    '## Options of an optimizer',
    ...optimizerDefinitions().flatMap(section),
  ]
}

type Definition = Pick<TaskDefinition | OptimizerDefinition, 'name' | 'about' | 'options'> &
  Partial<Pick<TaskDefinition, 'defaults' | 'columns'>>

/** Options of all runs whose default is another one for this task or optimizer. */
function defaultsText(defaults: Readonly<Record<string, unknown>> = {}): string {
  const common = Object.entries(defaults).filter(([key, value]) => key in commonSchema.shape && value !== null) // biome-ignore format: one line
  const texts = common.map(([key, value]) => code(`${flagOf(key)} ${value}`))
  return texts.length > 0 ? `Defaults that differ: ${texts.join(', ')}.` : ''
}

const sentence = (text: string): string =>
  plain(`${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`)

/** What the help prints after the options: notes, lists and examples. Tasks and optimizers have sections here. */
function textAfter(command: Command): string[] {
  let text = ''
  command.configureOutput({ writeOut: (part) => void (text += part) })
  command.outputHelp()
  const after = text.slice(command.helpInformation().length).trim()
  return after.split(/\n\n+/).filter((block) => block && !/^(?:Tasks|Optimizers) /.test(block)).map(blockText) // biome-ignore format: one line
}

function blockText(block: string): string {
  const [title, ...lines] = block.split('\n')
  if (lines.length === 0 || !lines.every((line) => line.startsWith('  '))) return plain(block)
  const heading = `## ${title.replace(/:$/, '')}`
  const commands = lines.map((line) => line.trim())
  if (commands.every((line) => line.startsWith('$ '))) {
    const why = title === COMPLETE ? 'test/cli/examples.test.ts does' : 'it needs your files'
    return `${heading}\n\n<!-- not run: ${why} -->\n\`\`\`sh\n${commands.map((line) => line.slice(2)).join('\n')}\n\`\`\``
  }
  const rows = commands
    .map((line) => line.split(/ {2,}/))
    .map(([name, about = '']) => [code(name), plain(about)])
  return `${heading}\n\n${table(['name', 'description'], rows)}`
}
