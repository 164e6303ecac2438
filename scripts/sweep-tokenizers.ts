// Compares tokenizers with Python's: random tokenizers with every component, and the tokenizers of folders.
//
//     HEED_PYTHON=python3 npm run sweep:tokenizers -- [--seed 1] [--pipelines 300] [--texts 200] [FOLDER ...]
//
// The interpreter needs `tokenizers` 0.23 and, for folders, `transformers` 5.24.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareLines } from './sweeps/compare-lines.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    pipelines: { type: 'string', default: '300' },
    texts: { type: 'string', default: '200' },
  },
})
const python = process.env.HEED_PYTHON ?? 'python3'
const folder = mkdtempSync(join(tmpdir(), 'heed-sweep-'))
try {
  await sweep('tokenizer_pipelines.py', [values.seed, values.pipelines, '60'])
  if (positionals.length > 0)
    await sweep('tokenizer_folders.py', [values.seed, values.texts, ...positionals])
} finally {
  rmSync(folder, { recursive: true })
}

async function sweep(script: string, args: readonly string[]): Promise<void> {
  const file = join(folder, 'lines.jsonl')
  const output = openSync(file, 'w')
  execFileSync(python, [join(import.meta.dirname, 'sweeps', script), ...args], {
    stdio: ['ignore', output, 'ignore'],
  })
  closeSync(output)
  const { tokenizers, cases, differences } = await compareLines(file)
  for (const difference of differences.slice(0, 20)) console.log(difference.slice(0, 1000))
  console.log(
    `${script}: ${tokenizers} tokenizers, ${cases} texts, ${differences.length} differences`,
  )
  if (differences.length > 0) process.exitCode = 1
}
