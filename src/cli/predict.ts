import { Command } from 'commander'
import { openRows, type Row, tableText } from '../data/index.ts'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { isJsonObject, parseJson } from '../io/files/json.ts'
import { openRun } from '../train/open-run.ts'
import { predictRows } from '../train/predict-run.ts'
import { HeedError, shown } from '../util/errors.ts'
import { type AdapterFlags, adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { addExamples } from './examples.ts'
import { inputLines } from './input-lines.ts'
import { positive } from './options.ts'
import { checkOutput } from './output-file.ts'
import { assignments } from './schema-flags.ts'
import { type TableFlags, tableFlags, tableOptions } from './table-options.ts'

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Predict labels, answers or text for texts, rows or images, as JSON lines.')
    .argument('<model>', 'the folder of a run, its subfolder `best`, or any model folder')
    .argument(
      '[data...]',
      'files, folders, glob patterns or images (default, or -: standard input, as lines of text or JSON)',
    )
    .option('--task <name>', 'task of the model (default: the task it was trained for)')
    .option('--text <texts...>', 'texts instead of files')
    .option('--set <key=value...>', 'options of the task, such as textColumn=review', assignments)
    .option('--with-input', 'add the row to each line as `input`; in tables as `input.text` …')
    .option('--out <file>', 'file to write instead of standard output: .csv, .tsv or .jsonl')
    .option('--batch <number>', 'number of rows in a batch', positive, 64)
    .addHelpText('after', SHORT_FORMS)
    .action(predict)
  addAdapterFlags(command)
  for (const option of tableOptions()) command.addOption(option)
  return addExamples(
    command,
    'mailsRun',
    [
      'npx heed predict runs/spam --text "You have won." "See you at noon."',
      'npx heed predict runs/spam mails.csv --with-input --out answers.csv',
    ],
    [
      'cat lines.txt | npx heed predict runs/spam > answers.jsonl',
      "npx heed predict runs/digits 'scans/*.png'",
      'npx heed predict ./bert-base-uncased --task fill-mask --text "Paris is the [MASK] of France."',
    ],
  )
}

const SHORT_FORMS =
  '\nfill, classify, answer, embed and translate are short forms for one task each.'

interface Flags extends TableFlags, AdapterFlags {
  task?: string
  text?: string[]
  set?: Record<string, unknown>
  withInput?: boolean
  out?: string
  batch: number
}

async function predict(dir: string, data: string[], flags: Flags): Promise<void> {
  const write = writerFor(flags)
  if (flags.text && data.length > 0)
    throw new HeedError('invalid-option', '--text and files cannot be combined', {
      remedy: 'Omit one of them.',
    })
  const opened = await openRun(dir, {
    task: flags.task,
    options: flags.set,
    ...adaptedBy(flags),
  })
  const rows = await rowsOf(data, flags, opened.inputColumn)
  try {
    for await (const { row, output } of predictRows(opened, rows, flags.batch))
      write.add(output, row.values)
  } finally {
    await write.end() // the predictions are kept when bad rows are reported at the end
  }
}

interface Writer {
  add(output: Record<string, unknown>, input: Readonly<Record<string, unknown>>): void
  end(): Promise<void>
}

/** Prints each prediction immediately, or writes all of them to a file at the end. */
function writerFor({ out, withInput }: Flags): Writer {
  const lineOf: (...given: Parameters<Writer['add']>) => string = (output, input) =>
    JSON.stringify(withInput ? { ...output, input } : output)
  if (out === undefined)
    return { add: (...given) => console.log(lineOf(...given)), end: async () => {} }
  const [ending = ''] = /\.[a-z]+$/i.exec(out) ?? []
  const separator = SEPARATORS[ending.toLowerCase()]
  if (separator === undefined)
    throw new HeedError('invalid-option', `\`out\` must end in .csv, .tsv or .jsonl, got ${out}`, {
      key: 'out',
      value: out,
      remedy: 'Choose one of these formats by the ending of the file.',
    })
  const records: Record<string, unknown>[] = []
  const lines: string[] = []
  return {
    add(output, input) {
      if (separator === null) lines.push(`${lineOf(output, input)}\n`)
      else records.push(withInput ? { ...output, input } : output)
    },
    end: () => writeFileAtomic(out, separator === null ? lines.join('') : tableText(records, separator)), // biome-ignore format: one line
  }
}

/** Column separators by file ending; null for lines of JSON. */
const SEPARATORS: Readonly<Record<string, string | null>> = {
  '.csv': ',',
  '.tsv': '\t',
  '.jsonl': null,
}

async function rowsOf(
  data: string[],
  { text: texts, ...flags }: Flags,
  column: string,
): Promise<AsyncIterable<Row> | Row[]> {
  if (texts) return texts.map((text, i) => textRow(text, '--text', i + 1, column))
  if (data.length === 0 || data[0] === '-') return standardInput(column)
  const source = await openRows(data, tableFlags(flags))
  if (flags.out !== undefined) await checkOutput(flags.out, source.files ?? data)
  const [first, ...others] = source.columns
  return others.length === 0 && first !== column
    ? renamed(source.rows(), first, column)
    : source.rows()
}

/** Reads lines of JSON if the first line is an object, otherwise lines of text. */
async function* standardInput(column: string): AsyncGenerator<Row> {
  if (process.stdin.isTTY)
    throw new HeedError(
      'invalid-option',
      'Data must come from files, --text or standard input, got none',
      {
        remedy: 'Name files, add --text, or pipe lines in: heed predict RUN < lines.txt',
      },
    )
  let number = 0
  let isJson: boolean | undefined
  for await (const line of inputLines()) {
    number++
    if (line.trim() === '') continue
    isJson ??= line.trimStart().startsWith('{')
    yield isJson ? jsonRow(line, number) : textRow(line, 'standard input', number, column)
  }
  if (isJson === undefined)
    throw new HeedError('invalid-data', 'Standard input must have at least one row, got none', {
      remedy: 'Check the command before the pipe, or the file after <.',
    })
}

function jsonRow(line: string, number: number): Row {
  const values = parseJson(line, `line ${number} of standard input`)
  if (isJsonObject(values)) return { values, file: 'standard input', number }
  throw new HeedError(
    'invalid-data',
    `Line ${number} of standard input must be a JSON object ({ … }), got ${shown(values)}`,
    {
      remedy: 'Write one object per line, as in the first line.',
    },
  )
}

const textRow = (text: string, file: string, number: number, column: string): Row => ({
  values: { [column]: text },
  file,
  number,
})

async function* renamed(rows: AsyncIterable<Row>, from: string, to: string): AsyncGenerator<Row> {
  for await (const row of rows) yield { ...row, values: { [to]: row.values[from] } }
}
