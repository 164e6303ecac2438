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

/** The items in an order that depends on the seed (Fisher and Yates, with a linear congruential generator). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const order = [...items]
  let state = seed
  for (let i = order.length - 1; i > 0; i--) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    const j = Math.floor((state / 2 ** 32) * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
