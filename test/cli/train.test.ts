// `heed train` for tasks on rows.
import { writeFile } from 'node:fs/promises'
import { expect, it, vi } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { scratch } from '../train/support.ts'

async function heed(...words: string[]): Promise<{ out: string; mistake: string; code: number }> {
  const said: string[] = []
  const keep = (text: unknown): boolean => said.push(String(text)) > 0
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(keep),
    vi.spyOn(process.stdout, 'write').mockImplementation(keep),
  ]
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  try {
    await run(['node', 'heed', ...words])
    const mistake = err.mock.calls.map(([line]) => String(line)).join('')
    return { out: said.join('\n'), mistake, code: Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = 0
    for (const spy of [...spies, err]) spy.mockRestore()
  }
}

const at = scratch()
const lines = Array.from(
  { length: 40 },
  (_, i) => `${i % 2 ? 'win money' : 'see you'} ${i},${i % 2}`,
)
await writeFile(at('mails.csv'), `words,spam\n${lines.join('\n')}\n`)
await writeFile(at('texts.txt'), lines.map((line) => `${line}. And more of it.`).join('\n'))
const columns = ['--text-column', 'words', '--label-column', 'spam']
const data = ['--data', at('mails.csv'), ...columns]
const small = ['--layers', '1', '--heads', '2', '--dim', '16', '--context', '24', '--batch', '4']

it('pre-trains, fine-tunes the head, goes on, and predicts', async () => {
  const bert = ['train', 'bert', '--task', 'fill-mask', '--unit', 'line', '--data', at('texts.txt')]
  const first = await heed(
    ...bert,
    ...small,
    '--steps',
    '3',
    '--no-next-sentence',
    '--out',
    at('bert'),
  )
  expect(first.mistake).toBe('')
  expect(first.out).toMatch(/BertForMaskedLM with .* parameters/)
  const task = ['--task', 'text-classification', ...data, '--epochs', '1', '--train', 'head']
  const tune = await heed('train', '--from', at('bert'), ...task, '--out', at('spam'))
  expect(tune.mistake).toBe('')
  expect(tune.out).toMatch(/ trained\)[\s\S]*New weights: .*classifier/)
  expect(tune.out).toMatch(/Evaluation on held-out data: loss .*accuracy/)
  const again = await heed('train', '--out', at('spam'), '--resume')
  expect(again.mistake).toBe('')
  const { out } = await heed('predict', at('spam'), '--text', 'win money')
  expect(JSON.parse(out)).toMatchObject({ label: expect.stringMatching(/^[01]$/) })
})

it('lists tasks, and the options and columns of one', async () => {
  const { out } = await heed('train', '--help')
  for (const name of [
    'fill-mask',
    'text-classification',
    'token-classification',
    'feature-extraction',
  ])
    expect(out).toContain(name)
  expect(out).not.toContain('--label-column')
  const own = await heed('train', '--task', 'text-classification', '--help')
  expect(own.out).toMatch(/--label-column <name> +column of the label \(default: label\)/)
  expect(own.out).toMatch(/--epochs <number> .*instead of --steps\s+\(default:\s+3\)/)
  expect(own.out).toMatch(/Data of text-classification: rows with a text/)
})

it.each<[string[], RegExp]>([
  [
    ['train', 'bert', '--task', 'clasification', ...data],
    /clasification.*\n.*text-classification \(formerly classification\)\?/,
  ],
  [['train', 'bert', '--task', 'token-classification', ...data], /--label-column /],
  [
    ['train', 'resnet', '--task', 'token-classification', '--data', 'x'],
    /'resnet' .*token-classification/,
  ],
  [['train', '--task', 'text-classification', ...data], /model[\s\S]*--from/],
  [
    ['train', 'bert', '--task', 'text-classification', '--data', at('mails.csv')],
    /'text' and 'label', got 'words', 'spam'\n.*--text-column and --label-column/,
  ],
  [
    ['train', 'bert', '--train', 'tail', ...data, '--task', 'text-classification'],
    /--train .*all, head or top:N, got "tail"/,
  ],
  [
    ['train', 'bert', ...data, '--task', 'text-classification', '--steps', '2', '--epochs', '2'],
    /--steps and --epochs/,
  ],
])('%j', async (words, says) => {
  const { mistake, code } = await heed(...words, '--out', at('none'))
  expect(mistake).toMatch(says)
  expect(code).toBe(2)
})
