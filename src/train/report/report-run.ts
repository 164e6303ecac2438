import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { fromPretrained } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { evaluationExamples } from '../evaluation-data.ts'
import { evaluateExamples } from '../held-out-loss.ts'
import type { Metrics } from '../metrics-file.ts'
import { RunFolder } from '../run-folder.ts'
import { TABLE, type TableOptions } from '../task-data.ts'
import { type OpenedTask, openTask } from '../task-file.ts'
import { attentionOf, imageAttentionOf } from './attention.ts'
import { type ReportContents, reportPage } from './page.ts'

/** Options of `reportRun`. */
export interface ReportOptions extends TableOptions {
  /** Evaluation data. Default: the held-out data of the run. */
  data?: readonly string[]
  /** The file to write. Default: report.html in the folder of the run. */
  out?: string
  /** The maximum number of evaluation examples. Default 1000. */
  limit?: number
  /** Called with the name of the current stage, the amount done, and the total if it is known. */
  onProgress?: (what: string, done: number, total?: number) => void
}

const checkReportRun = argumentKinds('reportRun', {
  dir: 'text',
  options: optionKinds<ReportOptions>({
    ...TABLE,
    data: 'pathList?',
    out: 'text?',
    limit: 'size?',
    onProgress: 'function?',
  }),
})

/**
 * Writes a self-contained HTML page about a run, with its evaluation, right and wrong examples, loss curves,
 * configuration, and the attention of an example. The page needs no network and has no scripts.
 * @param dir the folder of a run
 * @returns the path of the page
 */
export async function reportRun(dir: string, options: ReportOptions = {}): Promise<string> {
  checkReportRun(dir, options)
  const { out = join(dir, 'report.html'), limit = 1000 } = options
  const opened = await openTask(dir)
  const { task, context } = opened
  const model = (await fromPretrained(dir, task.head)) as Module
  const state = await new RunFolder(dir).state()
  const count = model.parameters().reduce((sum, { size }) => sum + size, 0)
  const about = `${model.constructor.name} with ${count.toLocaleString('en')} weights`
  const report: ReportContents = {
    title: `${task.name}: ${basename(resolve(dir))}`,
    about: state ? `${about}, after ${state.step} steps; ${machineOf(state.computed_on)}` : about,
    log: await readLog(dir),
    config: state ? { ...state.config } : context.options,
    attention: [],
  }
  const evaluated = await examplesFor(dir, opened, { ...options, limit })
  if (typeof evaluated === 'string') report.withoutEvaluation = evaluated
  else {
    const { examples } = evaluated
    const result = await evaluateExamples(task, model, examples, { show: SHOWN })
    report.samples = await task.samples?.(model, examples.slice(0, SAMPLES))
    const images = task.imageOf
      ? examples.slice(0, SHOWN).map((example) => task.imageOf?.(example))
      : []
    report.evaluation = { on: `${examples.length} ${evaluated.name}`, result, images }
    const image = images[0]
    if (image) report.look = { image, layers: await imageAttentionOf(task, model, examples[0]) }
    else report.attention = await attentionFor(opened, model, examples)
  }
  await writeFileAtomic(out, reportPage(report))
  return out
}

/** Number of examples on the page. */
const SHOWN = 200

/** Number of generated continuations on the page. */
const SAMPLES = 6

const machineOf = ({ heed, device }: { heed: string; device: string }): string =>
  `Heed ${heed} on ${device}`

/** The evaluation examples, or a sentence that explains why there are none. */
async function examplesFor(
  dir: string,
  opened: Omit<OpenedTask, 'file'>,
  options: ReportOptions,
): Promise<{ examples: readonly unknown[]; name: string } | string> {
  const { data } = options
  try {
    const examples = (await evaluationExamples(dir, opened, options)).slice(0, options.limit)
    const name = data ? `examples of ${data.join(', ')}` : 'held-out examples of the run'
    return { examples, name }
  } catch (error) {
    if (data || !(error instanceof HeedError)) throw error
    return `No evaluation: ${[error.message, error.remedy].filter(Boolean).join('. ')}`
  }
}

/** The attention of the shortest example with at least 8 tokens. */
async function attentionFor(
  { task, context }: OpenedTask,
  model: Module,
  examples: readonly unknown[],
): Promise<ReportContents['attention']> {
  const sorted = [...examples].sort((a, b) => task.length(a) - task.length(b))
  const example =
    sorted.find((candidate) => task.length(candidate) >= 8) ?? sorted[sorted.length - 1]
  return attentionOf(task, model, example, context.preprocessor)
}

/** The lines of metrics.jsonl; an incomplete line left by a killed process is skipped. */
async function readLog(dir: string): Promise<Partial<Metrics>[]> {
  const text = await readFile(join(dir, 'metrics.jsonl'), 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line)]
    } catch {
      return []
    }
  })
}
