import { Command } from 'commander'
import { evaluateRun, type RunEvaluation } from '../train/evaluate-run.ts'
import type { ShownExample } from '../train/task.ts'
import { adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { confusionTable } from './confusion-table.ts'
import { addShotFlags, checkWithoutShots, evaluateShots, type ShotFlags } from './eval-shots.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { tableFlags, tableOptions } from './table-options.ts'

export function evalCommand(): Command {
  const command = new Command('eval')
    .description(
      'Evaluate a trained model on held-out or other data, or with examples in the prompt.',
    )
    .argument(
      '<run>',
      'the folder of a run of heed train, or its subfolder `best`; with --task or --shots also a model folder or GGUF file',
    )
    .option(
      '--data <paths...>',
      'files, folders, glob patterns or hub:owner/name (default: the held-out data of the run)',
    )
    .option(
      '--task <name>',
      'task of --data, for a model that Heed did not train, such as chat (default: the task of the run)',
    )
    .option(
      '--limit <number>',
      'maximum number of rows, or of windows of text (default: all)',
      positive,
    )
    .option('--batch <number>', 'number of rows in a batch', positive, 16)
    .option('--show <number>', 'number of wrong predictions to print', positive, 5)
    .option('--json', 'print everything as JSON')
    .action(evaluate)
  addAdapterFlags(command)
  for (const option of tableOptions()) command.addOption(option)
  addShotFlags(command)
  return addExamples(
    command,
    'mailsRun',
    ['npx heed eval runs/spam', 'npx heed eval runs/spam --data mails.csv --limit 20'],
    [
      'npx heed eval model.gguf --task chat --data conversations.jsonl',
      "npx heed eval runs/spam/best --data 'mails/*.jsonl' --json > scores.json",
      'npx heed eval model.gguf --shots 0,1,5 --data capitals.csv --format "{country} -> {capital}"',
    ],
  )
}

async function evaluate(run: string, flags: ShotFlags): Promise<void> {
  if (flags.shots) return evaluateShots(run, flags)
  checkWithoutShots(flags)
  const { data, task, limit, batch, show, json } = flags
  const evaluation = await evaluateRun(run, data, {
    ...tableFlags(flags),
    ...adaptedBy(flags),
    task,
    limit,
    batchSize: batch,
    show: Math.max(50, show),
  })
  if (json) console.log(JSON.stringify(evaluation))
  else for (const line of table(evaluation, show)) console.log(line)
}

function table(
  { task, count, metrics, confusion, examples }: RunEvaluation,
  show: number,
): string[] {
  const width = Math.max(...Object.keys(metrics).map((name) => name.length))
  const lines = [`${pc.bold(task)} on ${count} example${count === 1 ? '' : 's'}`, '']
  for (const [name, value] of Object.entries(metrics))
    lines.push(`  ${name.padEnd(width)}  ${pc.bold(metric(value))}`)
  if (confusion && confusion.labels.length <= MOST_LABELS)
    lines.push('', ...confusionTable(confusion).map((line) => `  ${line}`))
  const wrong = examples.filter(({ right }) => right === false).slice(0, show)
  if (wrong.length > 0) lines.push('', 'Wrong:', ...wrong.flatMap(exampleLines))
  return lines
}

const MOST_LABELS = 20

export const metric = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4)

function exampleLines({ input, expected, predicted }: ShownExample): string[] {
  const short = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 160)
  return [
    `  ${pc.dim(short(input))}`,
    `    ${short(predicted)} ${pc.dim(`(true: ${short(expected)})`)}`,
  ]
}
