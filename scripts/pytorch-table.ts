// Writes the tables of docs/coming-from/pytorch.md from pytorch.ts. With HEED_PYTHON, an interpreter that has PyTorch, it
// first runs the PyTorch column and writes test/fixtures/pytorch-table.json:
//
//     npm run generate:pytorch
//     HEED_PYTHON=python3 npm run generate:pytorch
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sections } from '../docs/coming-from/pytorch.ts'
import { pageText, torchProgram } from './pytorch-table/page.ts'

const fileAt = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

const python = process.env.HEED_PYTHON
if (python) runTorch(python)
const page = fileAt('docs/coming-from/pytorch.md')
writeFileSync(page, pageText(readFileSync(page, 'utf8')))

function runTorch(interpreter: string): void {
  const rows = sections.flatMap((section) =>
    section.rows
      .filter(({ expected }) => expected === undefined)
      .map((row) => ({ key: row.torch, code: torchProgram(section, row) })),
  )
  const { status, stdout, error } = spawnSync(interpreter, [fileAt('scripts/fixtures/pytorch_table.py')], { input: JSON.stringify(rows), encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['pipe', 'pipe', 'inherit'] }) // biome-ignore format: one line
  if (error) throw error
  if (status !== 0) throw new Error('Each row must run in PyTorch, got the errors above')
  const { torch, values } = JSON.parse(stdout)
  const lines = Object.entries(values).map(
    ([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  )
  writeFileSync(
    fileAt('test/fixtures/pytorch-table.json'),
    `{\n  "torch": ${JSON.stringify(torch)},\n  "values": {\n${lines.join(',\n')}\n  }\n}\n`,
  )
}
