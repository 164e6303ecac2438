import { Command } from 'commander'
import { reportRun } from '../train/report/report-run.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { type TableFlags, tableOptions } from './table-options.ts'

export function reportCommand(): Command {
  const command = new Command('report')
    .description('Write an HTML page about a run: curves, evaluation, examples and attention.')
    .argument('<run>', 'the folder of a run of heed train')
    .option('--data <paths...>', 'evaluation data (default: the held-out data of the run)')
    .option('--out <file>', 'file to write (default: report.html in the run)')
    .option('--limit <number>', 'maximum number of evaluation examples', positive, 1000)
    .action(report)
  for (const option of tableOptions()) command.addOption(option)
  return addExamples(
    command,
    'mailsRun',
    ['npx heed report runs/spam'],
    ['npx heed report runs/spam --data test.csv --out spam.html'],
  )
}

interface Flags extends TableFlags {
  data?: string[]
  out?: string
  limit: number
}

async function report(run: string, flags: Flags): Promise<void> {
  console.log(await reportRun(run, flags))
}
