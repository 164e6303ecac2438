import { Command } from 'commander'
import { describeRuns, reportRun } from '../train/report/report-run.ts'
import { type AdapterFlags, baseOption } from './adapter-flags.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { type TableFlags, tableOptions } from './table-options.ts'

export function reportCommand(): Command {
  const command = new Command('report')
    .description('Write an HTML page about a run, or a page that compares runs.')
    .argument('<runs...>', 'the folders of one or several runs of heed train')
    .option('--data <paths...>', 'evaluation data (default: the held-out data of each run)')
    .option(
      '--out <file>',
      'file to write (default: report.html in the run; comparison.html for several runs)',
    )
    .option('--limit <number>', 'maximum number of evaluation examples', positive, 1000)
    .addOption(baseOption())
    .option('--json', 'print the report as JSON, and write no page')
    .action(report)
  for (const option of tableOptions()) command.addOption(option)
  return addExamples(
    command,
    'mailsRun',
    ['npx heed report runs/spam'],
    [
      'npx heed report runs/spam --data test.csv --out spam.html',
      'npx heed report runs/small runs/large --out sizes.html',
      'npx heed report runs/spam --json > report.json',
    ],
  )
}

interface Flags extends TableFlags, Pick<AdapterFlags, 'base'> {
  data?: string[]
  out?: string
  limit: number
  json?: boolean
}

async function report(runs: string[], { json, out, ...flags }: Flags): Promise<void> {
  if (json) console.log(JSON.stringify(await describeRuns(runs, flags)))
  else console.log(await reportRun(runs, { ...flags, out }))
}
