// What a report says of a run, as data.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import '../../adapt/index.ts' // opens adapters
import { isAdapter } from '../../adapt/peft.ts'
import type { Image } from '../../data/index.ts'
import { fromPretrained } from '../../models/index.ts'
import type { AdaptedModelOptions } from '../../models/pretrained.ts'
import type { Module } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { ComputedOn } from '../computed-on.ts'
import type { TrainConfig } from '../config-schema.ts'
import { evaluationExamples, withBase } from '../evaluation-data.ts'
import { evaluateExamples } from '../held-out-loss.ts'
import { RunFolder } from '../run-folder.ts'
import type { Evaluation, ShownExample, ShownPiece, Task } from '../task.ts'
import type { TableOptions } from '../task-data.ts'
import { type OpenedTask, openTask } from '../task-file.ts'
import { modelBefore } from '../train-model.ts'
import { type AttendedExample, attentionOf, MOST_TOKENS } from './attention.ts'
import { type MetricsLog, type Point, readMetricsLog, thinned } from './metrics-log.ts'
import { type Setting, settingsOf } from './settings.ts'

/** Options of reports about runs. */
export interface EvaluatedOn extends TableOptions, Pick<AdaptedModelOptions, 'base'> {
  /** Evaluation data. Default: the held-out data of each run. */
  data?: readonly string[]
  /** The maximum number of evaluation examples. Default 1000. */
  limit?: number
  /** Called with the name of the current stage, the amount done, and the total if it is known. */
  onProgress?: (what: string, done: number, total?: number) => void
}

/** What is known of a run. `JSON.stringify` writes NaN and infinite numbers as null. */
export interface RunReport {
  /** The folder, as given. */
  run: string
  /** Name of the task. */
  task: string
  /** The class of the model. */
  model: string
  /** Number of weights; null without saved weights. */
  parameters: number | null
  /** Number of steps of the newest checkpoint; null if there is none. */
  step: number | null
  /** Step and value of the lowest validation loss; null without one. */
  best: { step: number; val_loss: number } | null
  /** The version of Heed and the device. */
  computedOn: ComputedOn | null
  /** The result on the evaluation data; null if there is none, for the reason in `withoutEvaluation`. */
  evaluation: RunEvaluationReport | null
  /** Why there is no evaluation; null if there is one. */
  withoutEvaluation: string | null
  /** The lines of metrics.jsonl; `skipped` of them are not valid. */
  log: { lines: number; skipped: number }
  /** Values of metrics.jsonl by key: [step, value], null where a value is not finite. Long curves are thinned. */
  curves: Record<string, readonly Point[]>
  /** The configuration of the run, by key. */
  settings: Record<string, unknown>
  /** The keys of the settings that differ from the defaults. */
  changed: readonly string[]
}

/** How a model did on evaluation data. */
export interface RunEvaluationReport {
  /** A description of the data. */
  on: string
  /** Whether it is the held-out data of the run. */
  isHeldOut: boolean
  /** Number of examples. */
  count: number
  /** Values by the name of the metric, such as `accuracy`. */
  metrics: Record<string, number>
  /** Counts by true and predicted label, for classification. */
  confusion?: Evaluation['confusion']
  /** Examples with their predictions, the worst first. */
  examples: readonly ShownExample[]
}

/** A run with all that its page shows. */
export interface InspectedRun {
  report: RunReport
  settings: readonly Setting[]
  log: MetricsLog
  /** Pictures and pieces of the examples of `report.evaluation`, in the same order. */
  details: readonly ExampleDetails[]
  /** Continuations that a language model generated. */
  samples: readonly Sample[]
  attention: readonly AttendedExample[]
}

/** A generated continuation. */
export interface Sample extends ShownExample {
  /** What the model generated before the run; undefined for a run that started with a new model. */
  before?: string
}

export interface ExampleDetails {
  image?: Image
  pieces?: readonly ShownPiece[]
}

/** Number of the worst and the best examples, of generated continuations, and of examples with attention. */
const WORST = 12
const BEST = 4
const SAMPLES = 6
const ATTENDED = 3

/** Maximum number of points of all curves of a page, and of a single curve. */
const MOST_POINTS = 40_000
const MOST_POINTS_OF_CURVE = 1000

/**
 * Evaluates a run and collects all that its report shows.
 * @param isPage whether to compute what only a page shows: pieces of examples, samples and attention
 * @param runs number of runs that share the page
 */
export async function inspectRun(
  dir: string,
  options: EvaluatedOn,
  { isPage = true, runs = 1 } = {},
): Promise<InspectedRun> {
  const opened = await openTask(dir)
  const folder = new RunFolder(dir)
  const state = await folder.state()
  const config = state?.config ?? (await folder.configuration())
  const log = await readMetricsLog(dir)
  const model = await modelOf(dir, opened, options.base)
  const evaluated = model
    ? await evaluate(dir, { ...opened, model }, options)
    : 'No weights have been saved yet'
  const isEvaluated = typeof evaluated !== 'string'
  const settings = config ? settingsOf(config) : []
  const report: RunReport = {
    run: dir,
    task: opened.task.name,
    model: model?.constructor.name ?? opened.context.modelType,
    parameters: model?.parameters().reduce((sum, { size }) => sum + size, 0) ?? null,
    step: state?.step ?? null,
    best: state?.best ?? null,
    computedOn: state?.computed_on ?? null,
    evaluation: isEvaluated ? evaluated.evaluation : null,
    withoutEvaluation: isEvaluated ? null : evaluated,
    log: { lines: log.lines, skipped: log.skipped },
    curves: thinnedCurves(log, runs),
    settings: Object.fromEntries(settings.map(({ key, value }) => [key, value])),
    changed: settings.filter(({ isChanged }) => isChanged).map(({ key }) => key),
  }
  const nothing = { details: [], samples: [], attention: [] }
  const pictures = model && isEvaluated && isPage ? await picturesOf({ ...opened, model, config: withBase(config, options.base) }, evaluated) : nothing // biome-ignore format: one line
  return { report, settings, log, ...pictures }
}

type WithModel = OpenedTask & { model: Module }

/** The saved model; undefined for a run that has not saved one yet. */
async function modelOf(
  dir: string,
  { task }: OpenedTask,
  base: string | undefined,
): Promise<Module | undefined> {
  const has = (name: string): boolean => existsSync(join(dir, name))
  const isSaved = has('model.safetensors') || (await isAdapter(dir))
  if (has('run.json') && !isSaved) return undefined
  return (await fromPretrained(dir, task.head, { base })) as Module
}

function thinnedCurves({ curves }: MetricsLog, runs: number): RunReport['curves'] {
  const most = Math.min(MOST_POINTS_OF_CURVE, Math.floor(MOST_POINTS / (runs * curves.size || 1)))
  return Object.fromEntries([...curves].map(([key, points]) => [key, thinned(points, Math.max(50, most))])) // biome-ignore format: one line
}

interface Evaluated {
  evaluation: RunEvaluationReport
  all: readonly unknown[]
  /** The examples of `evaluation.examples`; none for tasks that show rows, not examples. */
  shown: readonly unknown[]
}

/** The result on the evaluation data, or a sentence that explains why there is none. */
async function evaluate(
  dir: string,
  opened: WithModel,
  options: EvaluatedOn,
): Promise<Evaluated | string> {
  const { task, model } = opened
  const examples = await examplesOf(dir, opened, options)
  if (typeof examples === 'string') return examples
  const all = task.fixDraws?.(examples) ?? examples
  const result = await evaluateExamples(task, model, all, { show: all.length })
  const order = worstFirst(result.examples)
  const shown = order.length > WORST + BEST ? [...order.slice(0, WORST), ...order.slice(-BEST)] : order // biome-ignore format: one line
  const evaluation: RunEvaluationReport = {
    ...result,
    on: options.data ? `examples of ${options.data.join(', ')}` : 'held-out examples',
    isHeldOut: options.data === undefined,
    count: all.length,
    examples: shown.map((i) => result.examples[i]),
  }
  return { evaluation, all, shown: result.examples.length === all.length ? shown.map((i) => all[i]) : [] } // biome-ignore format: one line
}

/** Indices: wrong predictions before others, and by difficulty. */
function worstFirst(examples: readonly ShownExample[]): number[] {
  const key = ({ right, difficulty = 0 }: ShownExample): [number, number] => [
    right === false ? 0 : 1,
    Number.isFinite(difficulty) ? -difficulty : Number.NEGATIVE_INFINITY,
  ]
  const keys = examples.map(key)
  return examples
    .map((_, i) => i)
    .sort((a, b) => keys[a][0] - keys[b][0] || compare(keys[a][1], keys[b][1]) || a - b)
}

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

async function examplesOf(
  dir: string,
  opened: WithModel,
  { limit = 1000, ...options }: EvaluatedOn,
): Promise<readonly unknown[] | string> {
  try {
    const examples = (await evaluationExamples(dir, opened, { ...options, limit })).slice(0, limit)
    return examples.length > 0 ? examples : 'The data gives no examples'
  } catch (error) {
    if (options.data || !(error instanceof HeedError)) throw error
    return [error.message, error.remedy].filter(Boolean).join('. ')
  }
}

async function picturesOf(
  { task, model, context, ...opened }: WithModel & { config?: TrainConfig },
  { evaluation, all, shown }: Evaluated,
): Promise<Pick<InspectedRun, 'details' | 'samples' | 'attention'>> {
  const pieces = await task.piecesOf?.(model, shown)
  const details = shown.map((example, i) => ({ image: task.imageOf?.(example), pieces: pieces?.[i] })) // biome-ignore format: one line
  const attention: AttendedExample[] = []
  for (const example of attendedOf(task, shown.length > 0 ? shown : all)) {
    const text = evaluation.examples[shown.indexOf(example)]?.input ?? 'an example'
    const layers = await attentionOf(task, model, example, context.preprocessor)
    attention.push({ text, image: task.imageOf?.(example), layers })
  }
  return { details, samples: await samplesOf({ task, model, context, ...opened }, all), attention }
}

/** Continuations by the model, and by the model from which the run started. */
async function samplesOf(
  { config, ...opened }: WithModel & { config?: TrainConfig },
  all: readonly unknown[],
): Promise<readonly Sample[]> {
  const { task, model } = opened
  const examples = all.slice(0, SAMPLES)
  const after = (await task.samples?.(model, examples)) ?? []
  if (config?.from === undefined || after.length === 0) return after
  try {
    const before = await task.samples?.(await modelBefore(config, opened), examples)
    return after.map((sample, i) => ({ ...sample, before: before?.[i].predicted }))
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    return after.map((sample) => ({ ...sample, before: `not known: ${error.message}` })) // moved, for example
  }
}

/** The worst examples whose tokens fit on the page, or the shortest one. */
function attendedOf(task: Task, examples: readonly unknown[]): unknown[] {
  const fitting = examples.filter((example) => task.imageOf || (task.length(example) >= 4 && task.length(example) <= MOST_TOKENS)) // biome-ignore format: one line
  if (fitting.length > 0) return fitting.slice(0, ATTENDED)
  return examples.toSorted((a, b) => task.length(a) - task.length(b)).slice(0, 2)
}
