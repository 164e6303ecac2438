import { Mistakes, type RowSource } from '../data/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Task } from './task.ts'

/**
 * The examples of all rows.
 * @throws HeedError that lists the rows which are wrong with file and number, up to twenty of them
 */
export async function encodeRows<E>(
  task: Task<E>,
  source: RowSource,
  onRow?: (rows: number) => void,
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
    onRow?.(++rows)
  }
  mistakes.throwIfAny()
  if (examples.length > 0) return examples
  throw new HeedError(`There is nothing to learn ${task.name} from: ${rows} rows, no example`, {
    remedy: 'Check that the texts are not too short, and that the columns are the right ones.',
  })
}
