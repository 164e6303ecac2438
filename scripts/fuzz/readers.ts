import { dataReaders } from './data-readers.ts'
import type { FuzzReader } from './input.ts'
import { modelReaders } from './model-readers.ts'
import { textReaders } from './text-readers.ts'
import { weightReaders } from './weight-readers.ts'

/** Everything that reads a file which others may have written. */
export const readers: readonly FuzzReader[] = [
  ...weightReaders,
  ...textReaders,
  ...dataReaders,
  ...modelReaders,
]
