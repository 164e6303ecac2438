// Reads Parquet fixtures (all, or the named ones) with each byte changed in ten ways. Each must give rows or one HeedError.
// A crash ends this process. Run: npm run sweep:parquet-mutations -- nested.parquet
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openRows } from '../../src/data/index.ts'
import { HeedError } from '../../src/util/errors.ts'

const FOLDER = fileURLToPath(new URL('../../test/fixtures/rows/', import.meta.url))
const path = join(tmpdir(), `heed-mutated-${process.pid}.parquet`)
const changes = [...Array(8).keys()].map((bit) => (byte: number) => byte ^ (1 << bit))
changes.push(
  () => 0,
  () => 255,
)

const named = process.argv.slice(2)
const files = named.length > 0 ? named : readdirSync(FOLDER)
for (const name of files.filter((file) => file.endsWith('.parquet'))) {
  const bytes = readFileSync(join(FOLDER, name))
  let [refused, read, slowest] = [0, 0, 0]
  for (let at = 0; at < bytes.length; at++)
    for (const change of changes) {
      const mutated = Buffer.from(bytes)
      mutated[at] = change(bytes[at])
      if (mutated[at] === bytes[at]) continue
      writeFileSync(path, mutated)
      const start = performance.now()
      const problem = await readAll(path)
      const time = performance.now() - start
      if (time > 1000)
        console.log(`${name}: byte ${at}, ${bytes[at]} -> ${mutated[at]}: ${time.toFixed(0)} ms`)
      slowest = Math.max(slowest, time)
      if (problem === null) read++
      else if (problem instanceof HeedError) refused++
      else
        throw new Error(`${name}: byte ${at}, ${bytes[at]} -> ${mutated[at]}`, { cause: problem })
    }
  console.log(`${name}: ${refused} refused, ${read} read, slowest ${slowest.toFixed(0)} ms`)
}

async function readAll(file: string): Promise<unknown> {
  try {
    for await (const _ of (await openRows(file)).rows());
    return null
  } catch (error) {
    return error
  }
}
