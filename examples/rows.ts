// What the examples write: rows for a task to read, and shares for people.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes rows as JSONL into `folder`, and says where. */
export function writeRows(folder: string, name: string, rows: readonly object[]): string {
  const path = join(folder, `${name}.jsonl`)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

export function percent(share = Number.NaN, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}
