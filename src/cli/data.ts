import { Command } from 'commander'
import {
  type ColumnSurvey,
  openRows,
  type Row,
  type RowSource,
  type RowSurvey,
  surveyRows,
} from '../data/index.ts'
import type { TypedArray } from '../graph/dtype.ts'
import { readModelConfig } from '../models/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { parseTrainConfig } from '../train/config.ts'
import { type OpenedTask, openTask } from '../train/task-file.ts'
import { newTaskModel } from '../train/task-model.ts'
import { trainTasks } from '../train/tasks/index.ts'
import { isMissingLabel } from '../train/tasks/labels.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { assignments } from './schema-flags.ts'
import { type TableFlags, tableFlags, tableOptions } from './table-options.ts'

export function dataCommand(): Command {
  const command = new Command('data')
    .description('Show the columns, types, lengths and labels of data, and what a model receives.')
    .argument('<data...>', 'files, folders, glob patterns or hub:owner/name')
    .option(
      '--task <name>',
      `show the arrays that a model receives in this task: ${trainTasks().join(', ')}`,
    )
    .option('--model <type>', 'architecture of a new model', 'bert')
    .option('--from <folder>', 'use the model and tokenizer in this folder')
    .option('--tokenizer <spec>', 'char, bpe:SIZE, wordpiece:SIZE, unigram:SIZE or a file')
    .option('--set <key=value...>', 'options of the task, such as textColumn=review', assignments)
    .option('--run <folder>', 'use the task and tokenizer of a run of heed train')
    .option('--json', 'print JSON')
    .action(show)
  for (const option of tableOptions()) command.addOption(option)
  return addExamples(
    command,
    'mails',
    ['npx heed data mails.csv', 'npx heed data mails.csv --task text-classification'],
    [
      'npx heed data reviews.csv --task text-classification --from ./bert --set textColumn=review',
      'npx heed data new.jsonl --run runs/spam',
    ],
  )
}

interface Flags extends TableFlags {
  task?: string
  model: string
  from?: string
  tokenizer?: string
  set?: Record<string, unknown>
  run?: string
  json?: boolean
}

async function show(data: string[], flags: Flags): Promise<void> {
  const source = await openRows(data, tableFlags(flags))
  const formats = (await source.formats?.()) ?? []
  const survey = await surveyRows(source)
  const opened = await taskFor(data, flags)
  const inputs = opened
    ? await Promise.all(survey.examples.map((row) => inputsOf(row, opened)))
    : []
  if (flags.json) {
    const { rows, columns, examples } = survey
    console.log(
      JSON.stringify({
        rows,
        files: formats,
        columns,
        examples: examples.map(({ values }) => values),
        seen: inputs.map(({ arrays }) => arrays),
        tokens: inputs.flatMap(({ tokens }) => (tokens ? [tokens] : [])),
      }),
    )
    return
  }
  for (const line of [...formatLines(formats), ...surveyLines(survey)]) console.log(line)
  survey.examples.forEach((row, i) => {
    console.log(`\n${pc.bold(`Example ${i + 1}`)} ${pc.dim(`${row.file}:${row.number}`)}`)
    for (const [name, value] of Object.entries(row.values))
      console.log(`  ${pc.cyan(name)}  ${short(value)}`)
    const { tokens = [], arrays = [] } = inputs[i] ?? {}
    if (tokens.length > 0)
      console.log(`  ${pc.magenta('tokens')}  ${tokens.map(shownToken).join('')}`)
    for (const { name, shape, values } of arrays)
      console.log(`  ${pc.magenta(name)} ${pc.dim(`(${shape.join(', ')})`)}  ${values}`)
  })
}

/** Tokens that the loss counts are in colour; without colours, in brackets. */
function shownToken({ text, counted }: ShownToken): string {
  const shown = printable(text)
  if (!counted) return pc.dim(shown)
  return pc.isColorSupported ? pc.green(shown) : `[${shown}]`
}

function taskFor(
  data: string[],
  flags: Flags,
): Promise<Pick<OpenedTask, 'task' | 'context'>> | undefined {
  if (flags.run !== undefined) return openTask(flags.run)
  if (flags.task === undefined) return undefined
  return newTask(data, flags)
}

async function newTask(
  data: string[],
  flags: Flags,
): Promise<Pick<OpenedTask, 'task' | 'context'>> {
  const { task, from, tokenizer, set } = flags
  const model = from === undefined ? flags.model : (await readModelConfig(from)).model_type
  const given = {
    task,
    model,
    data,
    ...(from && { from }),
    ...(tokenizer && { tokenizer }),
    ...tableFlags(flags),
    ...set,
  }
  return newTaskModel(parseTrainConfig(given))
}

/** What the model receives for a row. */
interface Inputs {
  arrays: Input[]
  /** The tokens, for tasks whose loss counts a part of them. */
  tokens?: readonly ShownToken[]
}

type ShownToken = { text: string; counted: boolean }

interface Input {
  name: string
  shape: readonly number[]
  values: string
}

/** The arrays that the model receives for a row; token ids are shown with their tokens. */
async function inputsOf(
  row: Row,
  { task, context }: Pick<OpenedTask, 'task' | 'context'>,
): Promise<Inputs> {
  const [example] = await task.encode(row)
  if (example === undefined) return { arrays: [] }
  const batch = task.collate([example], task.length(example), { seed: 0, step: 0 })
  const arrays = Object.entries(batch).map(([name, { data, shape }]) => {
    const values = data as TypedArray
    const some = Array.from(values.subarray(0, MOST_NUMBERS), (value) => Number(value))
    const tokens = /(^|_)ids$|^inputs$|^targets$/.test(name) && name !== 'token_type_ids'
    const text = tokens ? some.map((id) => tokenOf(id, context.preprocessor)) : some.map(round)
    return { name, shape, values: text.join(' ') + (values.length > MOST_NUMBERS ? ' …' : '') }
  })
  return { arrays, tokens: task.tokensOf?.(example) }
}

const MOST_NUMBERS = 48

function tokenOf(id: number, preprocessor: unknown): string {
  const token =
    preprocessor instanceof Tokenizer && id >= 0 ? preprocessor.idToToken(id) : undefined
  return token === undefined ? String(id) : `${printable(token)}${pc.dim(`:${id}`)}`
}

const round = (value: number): string => String(Number(value.toFixed(3)))

type Formats = Awaited<ReturnType<NonNullable<RowSource['formats']>>>

/** The detected formats of the first files. */
function formatLines(formats: Formats): string[] {
  const lines = formats.slice(0, MOST_FILES).map(({ file, format }) => {
    const properties = Object.entries(format).map(([name, value]) => `${name} ${pc.bold(printable(value))}`) // biome-ignore format: one line
    return `${pc.dim(file)}  ${properties.join('  ')}`
  })
  const more = formats.length - MOST_FILES
  return more > 0 ? [...lines, pc.dim(`and ${more} more files`)] : lines
}

const MOST_FILES = 8

function surveyLines({ rows, columns }: RowSurvey): string[] {
  const width = Math.max(...columns.map(({ name }) => name.length))
  return [
    `${pc.bold(String(rows))} rows`,
    ...columns.flatMap((column) => columnLines(column, width)),
  ]
}

function columnLines(
  { name, types, lengths, range, values }: ColumnSurvey,
  width: number,
): string[] {
  const kinds = Object.entries(types).map(([type, count]) => `${count} ${type}`)
  const spread = (of: typeof range, what: string): string[] =>
    of ? [`${what}${round(of.least)} to ${round(of.most)}, median ${round(of.median)}`] : []
  const summary = [...kinds, ...spread(lengths, 'length '), ...spread(range, '')].join('; ')
  const line = `  ${pc.cyan(name.padEnd(width))}  ${summary}`
  if (!values) return [line]
  const shown = values
    .slice(0, 12)
    .map(([value, count]) => `${printable(value)} ${pc.dim(String(count))}${isMissingLabel(value) ? pc.yellow(' (no label)') : ''}`) // biome-ignore format: one line
  const more = values.length > 12 ? `, ${values.length - 12} more` : ''
  const alone = values.length === 1 ? pc.yellow('  the same in all rows') : ''
  return [line, `  ${' '.repeat(width)}  ${shown.join(', ')}${more}${alone}`]
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : shortJson(value)
  return printable(text.length > 200 ? `${text.slice(0, 199)}…` : text)
}

/** JSON with the size of binary values, such as pixels, in place of their contents. */
function shortJson(value: unknown): string {
  const text = JSON.stringify(value, (_, inner) =>
    ArrayBuffer.isView(inner) ? `${inner.byteLength} bytes` : inner,
  )
  return text ?? String(value)
}

/** Replaces control characters, which could move the cursor. */
const printable = (text: string): string =>
  text.replaceAll('\n', '⏎').replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '�')
