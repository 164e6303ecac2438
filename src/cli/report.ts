import { Command } from 'commander'
import { reportRun } from '../train/report/report-run.ts'
import { positive } from './options.ts'

export function reportCommand(): Command {
  return new Command('report')
    .description(
      'One page about a run: curves, evaluation, examples, attention. No network needed.',
    )
    .argument('<run>', 'the folder that heed train has left')
    .option('--data <paths...>', 'data to evaluate on, in place of what the run held out')
    .option('--out <file>', 'the page (default: report.html in the run)')
    .option('--limit <number>', 'the most examples to evaluate on', positive, 1000)
    .addHelpText(
      'after',
      `
Examples:
  $ heed report runs/spam
  $ heed report runs/spam --data test.csv --out spam.html`,
    )
    .action(report)
}

interface Flags {
  data?: string[]
  out?: string
  limit: number
}

async function report(run: string, flags: Flags): Promise<void> {
  console.log(await reportRun(run, flags))
}
