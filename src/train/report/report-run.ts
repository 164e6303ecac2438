import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { firstExamples } from '../../data/index.ts'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { fromPretrained } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { TrainConfig } from '../config.ts'
import { encodeRows } from '../examples.ts'
import { type Metrics, RunFolder } from '../run-folder.ts'
import { taskData } from '../task-data.ts'
import { type OpenedTask, openTask } from '../task-file.ts'
import { openBatches } from '../train-model.ts'
import { attentionOf, imageAttentionOf } from './attention.ts'
import { type ReportParts, reportPage } from './page.ts'

export interface ReportOptions {
  /** Data to evaluate on. Default: what the run held out. */
  data?: readonly string[]
  /** The page. Default: report.html in the run's folder. */
  out?: string
  /** The most examples to evaluate on. Default 1000. */
  limit?: number
  onProgress?: (what: string, done: number, total?: number) => void
}

/**
 * Writes one self-contained HTML page about a run: evaluation with examples right and wrong, curves,
 * configuration, the attention of one example. It needs no network and has no script.
 * @param dir what `heed train` has left
 * @returns the path of the page
 */
export async function reportRun(dir: string, options: ReportOptions = {}): Promise<string> {
  const { out = join(dir, 'report.html'), limit = 1000 } = options
  const opened = await openTask(dir)
  const { task, context } = opened
  const model = (await fromPretrained(dir, task.head)) as Module
  const state = (await new RunFolder(dir).latest())?.state
  const count = model.parameters().reduce((sum, { size }) => sum + size, 0)
  const about = `${model.constructor.name} with ${count.toLocaleString('en')} weights`
  const report: ReportParts = {
    title: `${task.name}: ${basename(resolve(dir))}`,
    about: state ? `${about}, after ${state.step} steps; ${machineOf(state.computed_on)}` : about,
    log: await readLog(dir),
    config: state ? { ...state.config } : context.options,
    attention: [],
  }
  const found = await examplesFor(dir, opened, state?.config, { ...options, limit })
  if (typeof found === 'string') report.withoutEvaluation = found
  else {
    const { examples } = found
    const result = await task.evaluate(model, examples, { show: SHOWN })
    const images = task.imageOf ? examples.slice(0, SHOWN).map((one) => task.imageOf?.(one)) : []
    report.evaluation = { on: `${examples.length} ${found.name}`, result, images }
    const image = images[0]
    if (image) report.look = { image, layers: await imageAttentionOf(task, model, examples[0]) }
    else report.attention = await attentionFor(opened, model, examples)
  }
  await writeFileAtomic(out, reportPage(report))
  return out
}

/** Of these, some that are right and some that are wrong. */
const SHOWN = 200

const machineOf = ({ heed, device }: { heed: string; device: string }): string =>
  `Heed ${heed} on ${device}`

/** What the run is judged on, or why it cannot be. */
async function examplesFor(
  dir: string,
  { kind, task, context }: OpenedTask,
  config: TrainConfig | undefined,
  { data, limit, onProgress }: ReportOptions,
): Promise<{ examples: readonly unknown[]; name: string } | string> {
  if (data) {
    const source = await taskData(data, kind, context.options).source()
    const examples = (await encodeRows(task, source)).slice(0, limit)
    return { examples, name: `examples of ${data.join(', ')}` }
  }
  if (!config) return 'It was not evaluated: the run has no checkpoint that tells its data.'
  try {
    const opened = { kind, task, context, data: taskData(config.data, kind, context.options) }
    const batches = await openBatches(opened, config, dir, { onProgress })
    const examples = firstExamples(batches.heldOut, limit)
    await batches.close?.()
    if (examples.length > 0) return { examples, name: 'examples that the run held out' }
    return 'It was not evaluated: nothing was held out. Name data with --data.'
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    return `It was not evaluated: ${error.message}`
  }
}

/** Of the shortest example that has something to see. */
async function attentionFor(
  { task, context }: OpenedTask,
  model: Module,
  examples: readonly unknown[],
): Promise<ReportParts['attention']> {
  const sorted = [...examples].sort((a, b) => task.length(a) - task.length(b))
  const example = sorted.find((one) => task.length(one) >= 8) ?? sorted[sorted.length - 1]
  return attentionOf(task, model, example, context.preprocessor)
}

/** Lines of metrics.jsonl; one that a killed process left half written is left out. */
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
