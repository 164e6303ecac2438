import { Mistakes, type Row } from '../data/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { OPEN, type OpenedRun, type OpenOptions, openRun } from './open-run.ts'

/** The prediction for one row. */
export interface Prediction {
  /** The row, with its file and number. */
  row: Row
  /** The prediction; for a bad row, an object with `error` only. */
  output: Record<string, unknown>
}

/** Options of `predictRun`. */
export interface PredictRunOptions extends OpenOptions {
  /** Number of rows in a batch. Default 64. */
  batchSize?: number
}

const checkPredictRun = argumentKinds('predictRun', {
  dir: 'text',
  rows: 'stream',
  options: optionKinds<PredictRunOptions>({ ...OPEN, batchSize: 'size?' }),
})

const checkRow = argumentKinds('predictRun', {
  'row.values': 'object',
  'row.file': 'text',
  'row.number': 'number',
})

/**
 * Yields the prediction of a model for each row, in order. At most `batchSize` rows are in memory.
 * @param dir the folder of a run, its subfolder `best`, or any model folder
 * @throws HeedError that lists the bad rows, at the end or when there are 20
 */
export async function* predictRun(
  dir: string,
  rows: AsyncIterable<Row> | Iterable<Row>,
  given: PredictRunOptions = {},
): AsyncGenerator<Prediction> {
  checkPredictRun(dir, rows, given)
  const { batchSize, ...options } = given
  yield* predictRows(await openRun(dir, options), rows, batchSize)
}

/** Predicts like `predictRun`, with an opened model. */
export async function* predictRows(
  { task, model }: Pick<OpenedRun, 'task' | 'model'>,
  rows: AsyncIterable<Row> | Iterable<Row>,
  batchSize = 64,
): AsyncGenerator<Prediction> {
  const mistakes = new Mistakes()
  let batch: Row[] = []
  for await (const row of rows) {
    const { values, file, number }: Row = Object(row)
    checkRow(values, file, number)
    batch.push(row)
    if (batch.length < batchSize) continue
    yield* await predictBatch(task, model, batch, mistakes)
    batch = []
  }
  if (batch.length > 0) yield* await predictBatch(task, model, batch, mistakes)
  mistakes.throwIfAny()
}

/** Predicts all rows in one batch. If a row is bad, predicts them one by one, so that the others get predictions. */
async function predictBatch(
  task: OpenedRun['task'],
  model: OpenedRun['model'],
  rows: readonly Row[],
  mistakes: Mistakes,
): Promise<Prediction[]> {
  try {
    const outputs = await task.predict(model, rows)
    return rows.map((row, i) => ({ row, output: outputs[i] }))
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    if (rows.length === 1) {
      mistakes.add(rows[0], error.message, error.remedy)
      return [{ row: rows[0], output: { error: error.message } }]
    }
    const each: Prediction[] = []
    for (const row of rows) each.push(...(await predictBatch(task, model, [row], mistakes)))
    return each
  }
}
