// The only training module that opens rows, so that the survey of a task, its tokenizer, its examples, evaluation and
// reports read the same files with the same options.
import { openRows, type RowOptions, type RowSource } from '../data/index.ts'
import type { OptionKinds } from '../util/options.ts'
import { checkColumns } from './columns.ts'
import type { Options, TaskData, TaskDefinition } from './task.ts'

/** The format of tables; omitted options are detected. */
export type TableOptions = Pick<RowOptions, 'separator' | 'quote' | 'encoding'>

export const TABLE: OptionKinds<TableOptions> = {
  separator: 'text?',
  quote: 'text?',
  encoding: 'text?',
}

/** The files of a run with the options of its task. Files are opened when `source` is called. */
export function taskData(
  paths: readonly string[],
  kind: Pick<TaskDefinition, 'rowOptions' | 'columnKeys'>,
  options: Options,
  { separator, quote, encoding }: TableOptions = {},
): TaskData {
  const given = Object.entries({ separator, quote, encoding }).filter(([, value]) => value != null)
  const ofTask = kind.rowOptions?.(options)
  const rowOptions = given.length > 0 ? { ...ofTask, ...Object.fromEntries(given) } : ofTask
  let opened: Promise<RowSource> | undefined
  return {
    paths,
    rowOptions,
    source() {
      opened ??= openRows(paths, rowOptions).then((source) => checkColumns(source, kind, options))
      return opened
    },
  }
}
