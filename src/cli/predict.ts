import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { openRows, type Row } from '../data/index.ts'
import { isJsonObject, parseJson } from '../io/files/json.ts'
import { openRun } from '../train/open-run.ts'
import { predictRows } from '../train/predict-run.ts'
import { HeedError } from '../util/errors.ts'
import { positive } from './options.ts'
import { assignments } from './schema-flags.ts'

export function predictCommand(): Command {
  return new Command('predict')
    .description('Predict with a model: one line of JSON for each text, row or image.')
    .argument('<model>', 'the folder of a run, the folder best in it, or any model folder')
    .argument('[data...]', 'files, folders, patterns or images; - or nothing reads lines or JSONL')
    .option('--task <name>', 'task of the model (default: what it was trained for)')
    .option('--text <texts...>', 'texts instead of files')
    .option('--set <key=value...>', 'options of the task, such as textColumn=review', assignments)
    .option('--with-input', 'add the row to each line, as `input`')
    .option('--batch <number>', 'rows that are read before they go through the model', positive, 64)
    .addHelpText(
      'after',
      `
Examples:
  $ heed predict runs/spam --text "You have won." "See you at noon."
  $ heed predict runs/spam new.csv --with-input > answers.jsonl
  $ cat lines.txt | heed predict runs/spam
  $ heed predict runs/digits 'scans/*.png'
  $ heed predict ./bert-base-uncased --task fill-mask --text "Paris is the [MASK] of France."

fill, classify, answer, embed and translate are short forms for one task each.`,
    )
    .action(predict)
}

interface Flags {
  task?: string
  text?: string[]
  set?: Record<string, unknown>
  withInput?: boolean
  batch: number
}

async function predict(dir: string, data: string[], flags: Flags): Promise<void> {
  const opened = await openRun(dir, { task: flags.task, options: flags.set })
  const rows = await rowsOf(data, flags.text, opened.inputColumn)
  for await (const { row, output } of predictRows(opened, rows, flags.batch))
    console.log(JSON.stringify(flags.withInput ? { ...output, input: row.values } : output))
}

async function rowsOf(
  data: string[],
  texts: string[] | undefined,
  column: string,
): Promise<AsyncIterable<Row> | Row[]> {
  if (texts) return texts.map((text, i) => textRow(text, '--text', i + 1, column))
  if (data.length === 0 || data[0] === '-') return standardInput(column)
  const source = await openRows(data)
  const [first, ...others] = source.columns
  return others.length === 0 && first !== column
    ? renamed(source.rows(), first, column)
    : source.rows()
}

/** Lines of JSON where the first line is an object, else of text. */
async function* standardInput(column: string): AsyncGenerator<Row> {
  if (process.stdin.isTTY)
    throw new HeedError(
      'invalid-option',
      'The data must be files, --text or standard input, got none',
      {
        remedy: 'Name files, give --text, or pipe lines in: heed predict RUN < lines.txt',
      },
    )
  let number = 0
  let isJson: boolean | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    number++
    if (line.trim() === '') continue
    isJson ??= line.trimStart().startsWith('{')
    yield isJson ? jsonRow(line, number) : textRow(line, 'standard input', number, column)
  }
}

function jsonRow(line: string, number: number): Row {
  const values = parseJson(line, `line ${number} of standard input`)
  if (isJsonObject(values)) return { values, file: 'standard input', number }
  throw new HeedError('invalid-data', `Line ${number} of standard input must be a JSON object`)
}

const textRow = (text: string, file: string, number: number, column: string): Row => ({
  values: { [column]: text },
  file,
  number,
})

async function* renamed(rows: AsyncIterable<Row>, from: string, to: string): AsyncGenerator<Row> {
  for await (const row of rows) yield { ...row, values: { [to]: row.values[from] } }
}
