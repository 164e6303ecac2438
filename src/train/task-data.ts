// The only module of training that opens rows: the survey of a task, its tokenizer, its examples, evaluation and
// reports read the same files in the same way.
import { openRows, type RowSource } from '../data/index.ts'
import type { Options, TaskData, TaskDefinition } from './task.ts'

/** Files as a task reads them. Nothing is opened before `source` is called. */
export function taskData(
  paths: readonly string[],
  kind: Pick<TaskDefinition, 'rowOptions'>,
  options: Options,
): TaskData {
  const rowOptions = kind.rowOptions?.(options)
  let opened: Promise<RowSource> | undefined
  return {
    paths,
    rowOptions,
    source() {
      opened ??= openRows(paths, rowOptions)
      return opened
    },
  }
}
