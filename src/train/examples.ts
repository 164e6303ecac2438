import { Mistakes, type RowSource } from '../data/index.ts'
import { ROW_SOURCE } from '../data/row.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import { having, instanceOf, optional, optionKinds } from '../util/options.ts'
import type { RowEncoder } from './task.ts'

/** Options of `encodeRows`. */
export interface EncodeOptions {
  /** Called with the number of rows so far. */
  onRows?: (rows: number) => void
  /** Aborting stops the work with an error. */
  signal?: AbortSignal
}

export const SIGNAL = optional(instanceOf('an AbortSignal', AbortSignal))

const checkEncodeRows = argumentKinds('encodeRows', {
  task: having('a task, or another object with `encode`', 'encode'),
  source: ROW_SOURCE,
  options: optionKinds<EncodeOptions>({ onRows: 'function?', signal: SIGNAL }),
})

/**
 * Encodes all rows as examples, in this thread.
 * @throws HeedError that lists up to 20 bad rows with file and row number
 */
export async function encodeRows<E>(
  task: RowEncoder<E>,
  source: RowSource,
  options: EncodeOptions = {},
): Promise<E[]> {
  checkEncodeRows(task, source, options)
  const { onRows, signal } = options
  const examples: E[] = []
  const mistakes = new Mistakes()
  let rows = 0
  for await (const row of source.rows(mistakes)) {
    try {
      for (const example of await task.encode(row)) examples.push(example)
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      mistakes.add(row, error.message, error.remedy)
    }
    onRows?.(++rows)
    if (rows % ROWS_A_TURN > 0) continue
    await macrotask() // lets the caller update its display and handle signals
    if (signal?.aborted) throw stopped()
  }
  mistakes.throwIfAny()
  if (examples.length === 0) throw withoutExamples(task, rows)
  return examples
}

const ROWS_A_TURN = 256

export function withoutExamples(task: RowEncoder, rows: number): HeedError {
  return new HeedError(
    'invalid-data',
    `Data for ${task.name} must give at least one example, got none of ${rows} rows`,
    {
      key: 'data',
      value: rows,
      remedy: 'Check the columns, and whether the texts are too short.',
    },
  )
}

export const stopped = (): HeedError =>
  new HeedError('invalid-state', 'Interrupted while encoding rows; no training step was run', {
    remedy: 'Start the run again.',
  })
