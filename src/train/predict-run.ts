import { Mistakes, type Row } from '../data/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Task } from './task.ts'
import { openRun } from './task-file.ts'

export interface Prediction {
  row: Row
  /** What the task says of it; `error` alone for a row that is wrong. */
  output: Record<string, unknown>
}

/**
 * What a trained model says of each row, in their order, `batchSize` (default 64) rows at a time: no
 * more of them are held.
 * @param dir what `heed train` has left, or the folder `best` in it
 * @throws HeedError that lists the rows which were wrong, at the end or once there are twenty
 */
export async function* predictRun(
  dir: string,
  rows: AsyncIterable<Row> | Iterable<Row>,
  { batchSize = 64 }: { batchSize?: number } = {},
): AsyncGenerator<Prediction> {
  const { task, model } = await openRun(dir)
  const mistakes = new Mistakes()
  let batch: Row[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < batchSize) continue
    yield* await predictBatch(task, model, batch, mistakes)
    batch = []
  }
  if (batch.length > 0) yield* await predictBatch(task, model, batch, mistakes)
  mistakes.throwIfAny()
}

/** All at once; where a row is wrong, one by one, so that the others get their answers. */
async function predictBatch(
  task: Task,
  model: Module,
  rows: readonly Row[],
  mistakes: Mistakes,
): Promise<Prediction[]> {
  try {
    const outputs = await task.predict(model, rows)
    return rows.map((row, i) => ({ row, output: outputs[i] }))
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    if (rows.length === 1) {
      mistakes.add(rows[0], error.message)
      return [{ row: rows[0], output: { error: error.message } }]
    }
    const each: Prediction[] = []
    for (const row of rows) each.push(...(await predictBatch(task, model, [row], mistakes)))
    return each
  }
}
