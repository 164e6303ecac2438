import { dataReaders } from './data-readers.ts'
import type { FuzzReader } from './input.ts'
import { modelReaders } from './model-readers.ts'
import { textReaders } from './text-readers.ts'
import { weightReaders } from './weight-readers.ts'

/** All readers of files that may come from others. */
export const readers: readonly FuzzReader[] = [
  ...weightReaders,
  ...textReaders,
  ...dataReaders,
  ...modelReaders,
]
