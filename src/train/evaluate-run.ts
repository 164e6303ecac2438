import type { Mistakes, RowSource } from '../data/index.ts'
import { encodeRows } from './examples.ts'
import type { EvaluateOptions, Evaluation } from './task.ts'
import { openRun } from './task-file.ts'

export interface EvaluateRunOptions extends EvaluateOptions {
  /** Only the first so many rows. */
  limit?: number
  onProgress?: (rows: number) => void
}

export interface RunEvaluation extends Evaluation {
  task: string
  /** Examples that were looked at; most often one for each row. */
  count: number
}

/**
 * How good a trained model is on rows that it has not seen.
 * @param dir what `heed train` has left, or the folder `best` in it
 * @param data paths as `openRows` takes them
 * @throws HeedError that lists the rows which are wrong, up to twenty of them
 */
export async function evaluateRun(
  dir: string,
  data: string | readonly string[],
  { limit, onProgress, ...options }: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  const { task, model, openRows } = await openRun(dir)
  const source = firstRows(await openRows([data].flat()), limit)
  const examples = await encodeRows(task, source, { onRows: onProgress })
  const evaluation = await task.evaluate(model, examples, options)
  return { task: task.name, count: examples.length, ...evaluation }
}

function firstRows(source: RowSource, limit = Number.POSITIVE_INFINITY): RowSource {
  async function* rows(mistakes?: Mistakes) {
    let seen = 0
    for await (const row of source.rows(mistakes)) {
      yield row
      if (++seen >= limit) return
    }
  }
  return { columns: source.columns, rows }
}
