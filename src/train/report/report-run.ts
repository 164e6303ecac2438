import { join } from 'node:path'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { optionKinds } from '../../util/options.ts'
import { TABLE } from '../task-data.ts'
import { comparisonPage, differences } from './comparison-page.ts'
import { checkReplaceable, writePage } from './page-frame.ts'
import { runPage } from './run-page.ts'
import { type EvaluatedOn, inspectRun, type RunReport } from './run-report.ts'

/** Options of `reportRun`. */
export interface ReportOptions extends EvaluatedOn {
  /** The file to write. Default: report.html in the folder of the run, or comparison.html in the current folder. */
  out?: string
}

/** What a report says of runs, as data. */
export interface RunsReport {
  /** The reports, in the order of the runs given. */
  runs: RunReport[]
  /** The settings that differ between the runs, by key, with the value in each run; null where a run lacks it. */
  differences: Record<string, unknown[]>
}

const EVALUATED_ON = { ...TABLE, data: 'pathList?', base: 'text?', limit: 'size?', onProgress: 'function?' } as const // biome-ignore format: one line
const checkReportRun = argumentKinds('reportRun', {
  dir: 'paths',
  options: optionKinds<ReportOptions>({ ...EVALUATED_ON, out: 'text?' }),
})
const checkDescribeRuns = argumentKinds('describeRuns', {
  dirs: 'paths',
  options: optionKinds<EvaluatedOn>(EVALUATED_ON),
})

/**
 * Writes a self-contained HTML page about a run: its evaluation, the worst examples, curves, attention and settings. The
 * page of several runs compares their curves, metrics and settings. It needs no network.
 * @param dir the folder of a run, or several
 * @returns the path of the page
 * @throws HeedError if `out` is an existing file that is not a report
 */
export async function reportRun(
  dir: string | readonly string[],
  options: ReportOptions = {},
): Promise<string> {
  checkReportRun(dir, options)
  const dirs = [dir].flat()
  const [first] = dirs
  const { out = dirs.length === 1 ? join(first, 'report.html') : 'comparison.html', ...evaluated } = options // biome-ignore format: one line
  await checkReplaceable(out)
  if (dirs.length === 1) await writePage(out, await runPage(await inspectRun(first, evaluated)))
  else await writePage(out, await comparisonPage(await inspected(dirs, evaluated)))
  return out
}

/** Evaluates runs and returns what their report says, as data. */
export async function describeRuns(
  dirs: string | readonly string[],
  options: EvaluatedOn = {},
): Promise<RunsReport> {
  checkDescribeRuns(dirs, options)
  const runs = (await inspected([dirs].flat(), options)).map(({ report }) => report)
  return { runs, differences: runs.length > 1 ? differences(runs) : {} }
}

async function inspected(dirs: readonly string[], options: EvaluatedOn) {
  const runs: Awaited<ReturnType<typeof inspectRun>>[] = []
  for (const dir of dirs) runs.push(await inspectRun(dir, options, { isPage: false, runs: dirs.length })) // biome-ignore format: one line
  return runs
}
