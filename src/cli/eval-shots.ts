// heed eval MODEL --shots: examples in the prompt.
import { type Command, InvalidArgumentError } from 'commander'
import { Tokenizer } from '../tokenizers/index.ts'
import { type DrawnAccuracy, type FewShotResult, fewShot } from '../train/few-shot/few-shot.ts'
import { readShots } from '../train/few-shot/read-shots.ts'
import { HeedError } from '../util/errors.ts'
import { flagOf } from '../util/flag-of.ts'
import type { AdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { openModel } from './open-model.ts'
import { wholeNumber } from './options.ts'
import { type TableFlags, tableFlags } from './table-options.ts'

export interface ShotFlags extends TableFlags, AdapterFlags {
  shots?: number[]
  draws?: number
  examples?: string[]
  instruction?: string
  format?: string
  seed?: number
  data?: string[]
  task?: string
  limit?: number
  batch: number
  show: number
  json?: boolean
}

export const addShotFlags = (command: Command): Command =>
  command
    .optionsGroup('Examples in the prompt, for models that write text:')
    .option('--shots <numbers>', 'numbers of examples in the prompt, such as 0,1,5', shotCounts)
    .option(
      '--draws <number>',
      'number of random draws of examples; 0: the first examples, in their order (default: 5)',
      wholeNumber,
    )
    .option('--examples <paths...>', 'rows with the examples (default: other rows of --data)')
    .option('--instruction <text>', 'text before the examples', withLineBreaks)
    .option(
      '--format <text>',
      'how a row is written, with columns in braces, the answer last: "{country} -> {capital}"',
      withLineBreaks,
    )
    .option('--seed <number>', 'random seed of the draws (default: 0)', wholeNumber)

function shotCounts(text: string): number[] {
  const counts = text.split(',').map((count) => (count.trim() === '' ? Number.NaN : Number(count)))
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return counts
  throw new InvalidArgumentError('It must be whole numbers of at least 0, such as 0,1,5.')
}

/** A shell passes \n as two characters. */
const withLineBreaks = (text: string): string => text.replaceAll('\\n', '\n')

const ONLY_WITH_SHOTS = ['draws', 'examples', 'instruction', 'format', 'seed'] as const

/** @throws HeedError for flags that have no effect without --shots */
export function checkWithoutShots(flags: ShotFlags): void {
  const given = ONLY_WITH_SHOTS.find((name) => flags[name] !== undefined)
  if (given === undefined) return
  throw new HeedError('invalid-option', `${flagOf(given)} needs --shots`, {
    key: given,
    value: flags[given],
    remedy: `Add --shots 0,1,5, or omit ${flagOf(given)}.`,
  })
}

export async function evaluateShots(path: string, flags: ShotFlags): Promise<void> {
  const { shots, task, draws, instruction, format, seed, limit, batch: batchSize } = flags
  if (task !== undefined)
    throw new HeedError('invalid-option', `--task must be omitted with --shots, which needs no task, got ${task}`, {
      key: 'task',
      value: task,
      remedy: 'Omit one of the two.',
    }) // biome-ignore format: one line
  if (!flags.data)
    throw new HeedError('invalid-option', '--shots needs --data, a file with questions and answers', {
      key: 'data',
      remedy: 'Add --data questions.jsonl, with the columns prompt and completion.',
    }) // biome-ignore format: one line
  const table = tableFlags(flags)
  const questions = await readShots(flags.data, { ...table, format, limit })
  const examples = flags.examples && (await readShots(flags.examples, { ...table, format }))
  const model = await openModel(path, 'causal-lm', flags)
  const tokenizer = await Tokenizer.fromFile(path)
  const labels = questions.labels && new Set([...questions.labels, ...(examples?.labels ?? [])])
  const result = await fewShot(model.eval(), tokenizer, questions.shots, {
    shots,
    draws,
    examples: examples?.shots,
    instruction,
    choices: labels ? [...labels] : undefined,
    seed,
    batchSize,
    onProgress: (done, total) => showProgress(done, total),
  })
  if (flags.json) console.log(JSON.stringify(result))
  else for (const line of shotTable(result, flags.show)) console.log(line)
}

function showProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(done < total ? `\r${done} of ${total}` : '\r\x1b[2K')
}

function shotTable({ results, asked }: FewShotResult, show: number): string[] {
  const rows = results.map(({ shots, questions, accuracy, permuted }) => [
    String(shots),
    String(questions),
    ...cells(accuracy),
    ...(permuted ? cells(permuted) : ['', '']),
  ])
  const heads = ['examples', 'questions', 'accuracy', '95 %', 'permuted', '95 %']
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i].length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => cell.padStart(widths[i])).join('  ').trimEnd() // biome-ignore format: one line
  const wrong = asked.filter(({ right }) => !right).slice(0, show)
  return [
    pc.bold(line(heads)),
    ...rows.map(line),
    ...(wrong.length > 0 ? ['', `Wrong with ${Math.max(...results.map(({ shots }) => shots))} examples:`] : []), // biome-ignore format: one line
    ...wrong.map(({ prompt, answer, predicted }) => `  ${short(prompt)} ${short(predicted)} ${pc.dim(`(true: ${short(answer)})`)}`), // biome-ignore format: one line
  ]
}

function cells({ mean, interval }: DrawnAccuracy): string[] {
  const share = (value: number): string => Math.min(1, Math.max(0, value)).toFixed(3)
  return [share(mean), interval ? `${share(interval[0])} to ${share(interval[1])}` : '']
}

const short = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(-120)
