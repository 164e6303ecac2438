// Compares streamed decoding with Python: 200 unusual texts for each vocabulary, continued after every token, with and
// without special tokens. A stream must write the difference between `decode` of all ids and of the previous ids.
//
//   HEED_PYTHON=python npm run sweep:streaming -- FOLDER…   (folders with tokenizer.json and tokenizer_config.json)
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { unusualTexts } from './unusual-texts.ts'

const python = process.env.HEED_PYTHON
const folders = process.argv.slice(2)
if (!python || folders.length === 0) {
  console.error('Set HEED_PYTHON to an interpreter with transformers, and name folders.')
  process.exit(2)
}

/** By text, then with and without special tokens: decoded texts of the first 0, 1, 2 … ids. */
type Prefixes = Record<'all' | 'plain', string[]>[]

let wrong = 0
for (const folder of folders) {
  const tokenizer = await Tokenizer.fromFile(folder)
  const rows = unusualTexts(200).map((text) => tokenizer.encode(text))
  const started = performance.now()
  const expected = decodedByPython(folder, rows)
  let checks = 0
  const failures: string[] = []
  for (const [row, ids] of rows.entries())
    for (const skipSpecialTokens of [false, true]) {
      const decoded = expected[row][skipSpecialTokens ? 'plain' : 'all']
      for (let at = 0; at <= ids.length; at++) {
        checks++
        const wanted = added(decoded[at], decoded[ids.length])
        const stream = tokenizer.decodeStream({ skipSpecialTokens, after: ids.slice(0, at) })
        const text =
          ids
            .slice(at)
            .map((id) => stream.push(id))
            .join('') + stream.end()
        if (text !== wanted)
          failures.push(
            `${ids.slice(0, at)} | ${ids.slice(at)}: ${show(text)}, not ${show(wanted)}`,
          )
      }
    }
  wrong += failures.length
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${folder}: ${checks - failures.length} of ${checks} equal (${seconds} s)`)
  for (const failure of failures.slice(0, 5)) console.log(`  ${failure}`)
}
process.exitCode = wrong === 0 ? 0 : 1

function decodedByPython(folder: string, rows: readonly number[][]): Prefixes {
  const script = fileURLToPath(new URL('decode_prefixes.py', import.meta.url))
  const { stdout, stderr, status } = spawnSync(python as string, [script, folder], {
    input: JSON.stringify(rows),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0) throw new Error(`Python failed for ${folder}:\n${stderr}`)
  return JSON.parse(stdout)
}

/** A text without its common prefix with the previous text. */
function added(before: string, all: string): string {
  let same = 0
  while (same < before.length && before[same] === all[same]) same++
  return all.slice(same)
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
