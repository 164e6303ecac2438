// Reads 200 random tables written by pyarrow and compares the values. Run: HEED_PYTHON=python3 npm run sweep:parquet
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { openRows } from '../../src/data/index.ts'

const python = process.env.HEED_PYTHON ?? 'python3'
const folder = mkdtempSync(join(tmpdir(), 'heed-parquet-'))
const script = fileURLToPath(new URL('../fixtures/rows.py', import.meta.url))
let [same, different] = [0, 0]
try {
  execFileSync(python, [script, folder], { stdio: 'inherit' })
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.parquet'))) {
    const expected = JSON.parse(
      readFileSync(join(folder, name.replace('.parquet', '.json')), 'utf8'),
    )
    const rows: unknown[] = []
    for await (const { values } of (await openRows(join(folder, name))).rows())
      rows.push(JSON.parse(JSON.stringify(values, asList)))
    if (isDeepStrictEqual(rows, expected)) same++
    else {
      different++
      const at = expected.findIndex((row: unknown, i: number) => !isDeepStrictEqual(row, rows[i]))
      console.log(
        `${name}, row ${at + 1}:\n  ${JSON.stringify(expected[at])}\n  ${JSON.stringify(rows[at])}`,
      )
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
console.log(`${same} tables equal, ${different} different`)
process.exitCode = different > 0 ? 1 : 0

/** Bytes as a list of numbers. */
function asList(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Array.from(value) : value
}
