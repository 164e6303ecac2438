import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { openRows, type Row } from '../data/index.ts'
import { isJsonObject, parseJson } from '../io/files/json.ts'
import { predictRun } from '../train/predict-run.ts'
import type { Options } from '../train/task.ts'
import { openTask } from '../train/task-file.ts'
import { HeedError } from '../util/errors.ts'
import { positive } from './options.ts'

export function predictCommand(): Command {
  return new Command('predict')
    .description('What a trained model says of texts, rows or images: one line of JSON for each.')
    .argument('<run>', 'the folder that heed train has left, or the folder best in it')
    .argument('[data...]', 'files, folders, patterns or images; - or nothing reads lines or JSONL')
    .option('--text <texts...>', 'texts in place of files')
    .option('--with-input', 'each line also has the row, as `input`')
    .option('--batch <number>', 'rows that are read before they go through the model', positive, 64)
    .addHelpText(
      'after',
      `
Examples:
  $ heed predict runs/spam --text "You have won." "See you at noon."
  $ heed predict runs/spam new.csv --with-input > answers.jsonl
  $ cat lines.txt | heed predict runs/spam
  $ heed predict runs/digits 'scans/*.png'`,
    )
    .action(predict)
}

interface Flags {
  text?: string[]
  withInput?: boolean
  batch: number
}

async function predict(run: string, data: string[], flags: Flags): Promise<void> {
  const { context } = await openTask(run)
  const rows = await rowsOf(data, flags.text, inputColumn(context.options))
  for await (const { row, output } of predictRun(run, rows, { batchSize: flags.batch }))
    console.log(JSON.stringify(flags.withInput ? { ...output, input: row.values } : output))
}

/** Where the task looks for what it reads: plain text and single images are put there. */
function inputColumn(options: Options): string {
  const keys = ['textColumn', 'sourceColumn', 'tokensColumn', 'firstColumn', 'imageColumn']
  return String(keys.map((key) => options[key]).find((column) => column !== undefined) ?? 'text')
}

async function rowsOf(
  data: string[],
  texts: string[] | undefined,
  column: string,
): Promise<AsyncIterable<Row> | Row[]> {
  if (texts) return texts.map((text, i) => textRow(text, '--text', i + 1, column))
  if (data.length === 0 || data[0] === '-') return standardInput(column)
  const source = await openRows(data)
  const [only, ...others] = source.columns
  const other = others.length === 0 && only !== column
  return other ? renamed(source.rows(), only, column) : source.rows()
}

/** Lines of JSON where the first one begins as such, else of text. */
async function* standardInput(column: string): AsyncGenerator<Row> {
  if (process.stdin.isTTY)
    throw new HeedError('invalid-option', 'there is nothing to predict', {
      remedy: 'Name files, give --text, or pipe lines in: heed predict RUN < lines.txt',
    })
  let number = 0
  let json: boolean | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    number++
    if (line.trim() === '') continue
    json ??= line.trimStart().startsWith('{')
    yield json ? jsonRow(line, number) : textRow(line, 'standard input', number, column)
  }
}

function jsonRow(line: string, number: number): Row {
  const values = parseJson(line, `line ${number} of standard input`)
  if (isJsonObject(values)) return { values, file: 'standard input', number }
  throw new HeedError('invalid-option', `line ${number} of standard input is no JSON object`)
}

const textRow = (text: string, file: string, number: number, column: string): Row => ({
  values: { [column]: text },
  file,
  number,
})

async function* renamed(rows: AsyncIterable<Row>, from: string, to: string): AsyncGenerator<Row> {
  for await (const row of rows) yield { ...row, values: { [to]: row.values[from] } }
}
