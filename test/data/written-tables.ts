import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRows, type RowOptions } from '../../src/data/index.ts'

/** A table as scripts/fixtures/tables.py writes it. */
export interface WrittenTable {
  separator: string
  quote: string
  encoding: string
  lineBreak: string
  /** In base64. */
  bytes: string
  /** With the header. */
  rows: string[][]
}

/** Whether the rows are those that Python reads, with the detected dialect and with the given one. */
export async function readAsWritten(
  { bytes, rows, separator, quote }: WrittenTable,
  folder: string,
  number: number,
): Promise<{ detected: boolean; given: boolean }> {
  const [header, ...expected] = rows
  const ending = separator === '\t' && number % 2 === 0 ? 'tsv' : 'csv'
  const path = join(folder, `${number}.${ending}`)
  writeFileSync(path, Buffer.from(bytes, 'base64'))
  const isRead = async (options?: RowOptions): Promise<boolean> => {
    const found: unknown[] = []
    const columns = new Set<string>()
    try {
      for await (const { values } of (await openRows(path, options)).rows()) {
        for (const name of Object.keys(values)) columns.add(name)
        found.push(Object.values(values))
      }
    } catch {
      return false
    }
    const isHeader = JSON.stringify([...columns]) === JSON.stringify(header)
    return isHeader && JSON.stringify(found) === JSON.stringify(expected)
  }
  return { detected: await isRead(), given: await isRead({ separator, quote }) }
}
