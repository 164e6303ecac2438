// Checks that tables written by Python's csv in random dialects are read correctly: `HEED_PYTHON=python3 npm run
// sweep:tables`, or `-- 2000 7` for a number of tables and a seed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAsWritten, type WrittenTable } from '../test/data/written-tables.ts'

const [count = '2000', seed = '7'] = process.argv.slice(2)
const script = fileURLToPath(new URL('fixtures/tables.py', import.meta.url))
const written = execFileSync(process.env.HEED_PYTHON ?? 'python3', [script, count, seed], {
  maxBuffer: 1 << 30,
  encoding: 'utf8',
})
const tables: WrittenTable[] = JSON.parse(written)
const folder = mkdtempSync(join(tmpdir(), 'heed-tables-'))
const wrong = { detected: 0, given: 0 }
for (const [i, table] of tables.entries()) {
  const { detected, given } = await readAsWritten(table, folder, i)
  if (!given) wrong.given++
  if (detected) continue
  wrong.detected++
  const { rows: _, bytes: __, ...dialect } = table
  console.log(`table ${i}: ${JSON.stringify(dialect)}`)
}
rmSync(folder, { recursive: true })
const share = (count: number): string => `${((100 * count) / tables.length).toFixed(2)} %`
console.log(`${tables.length} tables: ${share(tables.length - wrong.detected)} read as written with the detected dialect, ${share(tables.length - wrong.given)} with the given one`) // biome-ignore format: one line
process.exitCode = wrong.given > 0 || wrong.detected > tables.length / 100 ? 1 : 0
