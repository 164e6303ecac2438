// --import: registered names in help and validation, recorded in runs, demanded when a run is opened.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { splitImports } from '../../src/cli/imports.ts'
import { heedError } from '../support/heed-error.ts'
import { loader } from '../support/run-script.ts'
import { scratch } from '../train/support.ts'

const main = fileURLToPath(new URL('../support/heed-main.ts', import.meta.url))
const at = scratch()

function heed(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [...loader, main, ...words], {
    env: { ...process.env, NO_COLOR: '1' },
  })
  return new Promise((resolve) => {
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

// A TypeScript module that registers an optimizer with an option of its own.
writeFileSync(
  at('sign.ts'),
  `import { registerOptimizer, SGD } from 'heed/optim'
import { z } from '${new URL('../../node_modules/zod/index.js', import.meta.url).href}'
const factor: number = 1
registerOptimizer({
  name: 'scaled',
  about: 'SGD with a factor of its own',
  options: z.strictObject({ boost: z.number().default(1).describe('factor of the learning rate') }),
  create: (groups, { boost, ...rest }) => new SGD(groups, { ...rest, lr: rest.lr * boost * factor }),
})
`,
)
writeFileSync(at('throws.ts'), "throw new Error('broken on purpose')\n")
writeFileSync(at('text.txt'), 'call me ishmael. '.repeat(60))
const train = [
  ...['train', 'gpt2', '--data', at('text.txt'), '--layers', '1', '--heads', '2', '--dim', '8'],
  ...['--context', '8', '--batch', '2', '--steps', '2', '--tokenizer', 'char'],
]

it('takes imports out of the words, as far as --', () => {
  const words = [
    'node',
    'heed',
    '--import',
    'a.ts',
    'train',
    '--import=b.ts',
    '--imports',
    'x',
    '--',
    '--import',
    'c',
  ]
  expect(splitImports(words)).toEqual({
    words: ['node', 'heed', 'train', '--imports', 'x', '--', '--import', 'c'],
    imports: ['a.ts', 'b.ts'],
  })
  for (const missing of [['--import'], ['--import', '--help'], ['--import=']])
    expect(() => splitImports(missing)).toThrow(heedError('invalid-option', { key: 'import' }))
})

it('loads the file before help and validation', async () => {
  const help = await heed('train', '--import', at('sign.ts'), '--optimizer', 'scaled', '--help')
  expect(help.out).toMatch(/--boost <number> +factor of the learning rate/)
  expect(help.out).toMatch(/--import <file> +load a module/)
  expect(help.code).toBe(0)
  const unknown = await heed(...train, '--optimizer', 'scaled', '--out', at('none'))
  expect(unknown.err).toMatch(/scaled/)
  expect(unknown.code).toBe(2)
})

it('records the import in the run, and names it where it is missing', {
  timeout: 240_000,
}, async () => {
  const made = await heed(...train, '--import', at('sign.ts'), '--optimizer', 'scaled', '--boost', '2', '--out', at('run')) // biome-ignore format: one line
  expect(made.err).toBe('')
  expect(made.code).toBe(0)
  expect(JSON.parse(readFileSync(at('run/task.json'), 'utf8')).imports).toEqual([at('sign.ts')])
  const words = [
    ['train', '--resume', '--out', at('run')],
    ['eval', at('run'), '--data', at('text.txt')],
    ['predict', at('run/best'), '--text', 'call'],
    ['report', at('run')],
    ['generate', at('run')],
  ]
  for (const { code, err } of await Promise.all(words.map((line) => heed(...line)))) {
    expect(err).toMatch(/\S+sign\.ts.*\n.*--import \S+sign\.ts\.\n$/)
    expect(code).toBe(2)
  }
  const resumed = await heed('train', '--resume', '--out', at('run'), '--import', at('sign.ts'))
  expect(resumed).toMatchObject({ code: 0, err: '' })
  const written = await heed('generate', at('run'), '--import', at('sign.ts'), '--tokens', '4', '--prompt', 'call') // biome-ignore format: one line
  expect(written).toMatchObject({ code: 0, err: '' })
})

it.each([
  ['missing.ts', /got \S+missing\.ts/],
  ['throws.ts', /throws\.ts .*Error: broken on purpose/],
])('refuses %s with code 2', async (name, says) => {
  const { code, err } = await heed('inspect', '--preset', 'gpt2', '--import', at(name))
  expect(err).toMatch(says)
  expect(err).not.toMatch(/\n\s+at /)
  expect(code).toBe(2)
})
