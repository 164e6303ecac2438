// `npm start`: trains a GPT on Moby-Dick and generates text. Flags are passed to `heed train`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../src/cli/main.ts'
import { exportMobyDick } from './moby-dick.ts'

const settings = {
  tokenizer: 'bpe:2048',
  layers: 4,
  heads: 4,
  dim: 192,
  context: 128,
  batch: 16,
  steps: 700,
  lr: 2e-3,
}

const given = process.argv.slice(2)
const text = await exportMobyDick()
const out = given.includes('--out')
  ? given[given.indexOf('--out') + 1]
  : freeFolder('runs/moby-dick')
const flags = Object.entries(settings)
  .map(([key, value]) => [`--${key}`, String(value)])
  .filter(([flag]) => !given.includes(flag))
  .flat()
const own = given.includes('--out') ? [] : ['--out', out]
const train = ['heed', 'heed', 'train', 'gpt2', '--data', text, ...own, ...flags, ...given]
await run(given.includes('--resume') ? train.filter((x) => !flags.includes(x)) : train)
if (!process.exitCode && existsSync(join(out, 'model.safetensors'))) {
  console.log('\nGenerated text:\n')
  await run([
    'heed',
    'heed',
    'generate',
    out,
    '--prompt',
    'The whale',
    '--tokens',
    '200',
    '--temperature',
    '0.7',
    '--seed',
    '1',
  ])
}

/** The first name that is not taken by a run. */
function freeFolder(base: string): string {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? base : `${base}-${n}`
    if (!existsSync(folder)) return folder
  }
}
