import type { Mistakes, RowSource } from '../data/index.ts'
import { encodeRows } from './examples.ts'
import { openRun } from './open-run.ts'
import type { EvaluateOptions, Evaluation } from './task.ts'

export interface EvaluateRunOptions extends EvaluateOptions {
  /** Number of rows to read. Default: all. */
  limit?: number
  onProgress?: (rows: number) => void
}

export interface RunEvaluation extends Evaluation {
  task: string
  /** Number of examples; most tasks make one of each row. */
  count: number
}

/**
 * Evaluates a trained model on data.
 * @param dir the folder of a run, or the folder `best` in it
 * @param data paths for `openRows`
 * @throws HeedError that lists bad rows, up to 20
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
    let count = 0
    for await (const row of source.rows(mistakes)) {
      yield row
      if (++count >= limit) return
    }
  }
  return { columns: source.columns, rows }
}
