import { Mistakes, type Row } from '../data/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { OPEN, type OpenedRun, type OpenOptions, openRun } from './open-run.ts'

export interface Prediction {
  row: Row
  /** The prediction; only `error` for a bad row. */
  output: Record<string, unknown>
}

export interface PredictRunOptions extends OpenOptions {
  /** Rows that are read before they go through the model. Default 64. */
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
 * The prediction of a model for each row, in the order of the rows. No more than `batchSize` rows are held.
 * @param dir the folder of a run, the folder `best` in it, or any model folder
 * @throws HeedError that lists the bad rows, at the end or once there are twenty
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

/** `predictRun` with a model that is open. */
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

/** All rows at once; with a bad row among them, one by one, so that the others get their predictions. */
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
