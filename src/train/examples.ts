import { Mistakes, type RowSource } from '../data/index.ts'
import { HeedError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import type { RowEncoder } from './task.ts'

export interface EncodeOptions {
  /** How many rows have been read so far. */
  onRows?: (rows: number) => void
  /** Aborting it ends the work with an error. */
  signal?: AbortSignal
}

/**
 * The examples of all rows, made in this thread and held.
 * @throws HeedError that lists the rows which are wrong with file and number, up to twenty of them
 */
export async function encodeRows<E>(
  task: RowEncoder<E>,
  source: RowSource,
  { onRows, signal }: EncodeOptions = {},
): Promise<E[]> {
  const examples: E[] = []
  const mistakes = new Mistakes()
  let rows = 0
  for await (const row of source.rows(mistakes)) {
    try {
      for (const example of await task.encode(row)) examples.push(example)
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      mistakes.add(row, error.message)
    }
    onRows?.(++rows)
    if (rows % ROWS_A_TURN > 0) continue
    await macrotask() // lets the caller's screen and signals have their turn
    if (signal?.aborted) throw stopped()
  }
  mistakes.throwIfAny()
  if (examples.length === 0) throw withoutExamples(task, rows)
  return examples
}

const ROWS_A_TURN = 256

export function withoutExamples(task: RowEncoder, rows: number): HeedError {
  return new HeedError(
    'unknown-name',
    `There is nothing to learn ${task.name} from: ${rows} rows, no example`,
    {
      remedy: 'Check that the texts are not too short, and that the columns are the right ones.',
    },
  )
}

export const stopped = (): HeedError =>
  new HeedError(
    'invalid-option',
    'Stopped while rows were made examples: nothing had been learnt yet',
  )
