// Commands that Heed prints can be pasted into a POSIX shell, whatever the names of runs and folders.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { trainView } from '../../src/cli/train-view.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import type { TrainOutcome } from '../../src/train/train-model.ts'
import { shellWord } from '../../src/util/shell.ts'
import { posixOnly } from '../support/posix-only.ts'
import { scratch, writeRows } from '../train/support.ts'
import { heed } from './in-process.ts'

const names = [
  'plain',
  'two words',
  "it's",
  'a"b',
  '$HOME',
  '`ls`',
  'a;b&c|d',
  '~user',
  '*?[x]',
  '{a,b}',
  '-dash',
  '--out',
  '!bang',
  '#hash',
  'back\\slash',
  'new\nline',
  'tab\tx',
  'naïve 漢字',
  '(paren)<>',
  '=equal',
  'a=b',
  '%1',
  "'",
  ' ',
]

/** The words of a command as `sh` splits it. */
function words(command: string): string[] {
  const script = `npx() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

/** The commands in a text, each from `npx heed` to the end of its line outside of quotes. */
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/npx heed (?:'[^']*'|\\.|[^\n'])*/g)].map(([command]) => command)

const noShell = posixOnly(
  'there is no POSIX shell; test/util/shell.test.ts has the words for cmd and PowerShell',
)

describe.skipIf(noShell)('a word', () => {
  it.each(names)('%j', (name) => {
    expect(words(`npx ${shellWord(name)}`)).toEqual([name.startsWith('-') ? `./${name}` : name])
  })

  it('is empty', () => expect(words(`npx ${shellWord('')}`)).toEqual(['']))
})

describe.skipIf(noShell)('training', () => {
  const at = scratch()
  const rows = Array.from({ length: 12 }, (_, i) => ({ text: `a ${i}`, label: i % 2 }))

  beforeAll(() => mkdirSync(at('data')))

  it.each(names)('into %j prints what works', async (name) => {
    const data = writeRows(at(`data/${name.replaceAll('/', '_')}.jsonl`), rows)
    const out = at(name)
    const size = [
      '--layers',
      '1',
      '--heads',
      '1',
      '--dim',
      '8',
      '--tokenizer',
      'char',
      '--steps',
      '1',
    ]
    const flags = ['--task', 'text-classification', '--data', data, '--out', out, ...size]
    const { out: printed, mistake } = await heed('train', 'bert', ...flags)
    expect(mistake).toBe('')
    const [command] = commandsIn(printed)
    expect(words(command)).toEqual(['heed', 'predict', out, data])
    const { out: predicted } = await heed(...words(command).slice(1))
    expect(predicted.split('\n')).toHaveLength(12)
  })
})

describe.skipIf(noShell)('a summary', () => {
  const config = parseTrainConfig({ data: ['a.txt'] })
  const shown = (outcome: object, out: string): string => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    trainView(config, out).finish({ best: null, evaluation: null, ...outcome } as TrainOutcome)
    const text = log.mock.calls.map(([line]) => String(line)).join('\n')
    log.mockRestore()
    return text
  }

  it.each(names)('of a run in %j prints what works', (name) => {
    const path = name.startsWith('-') ? `./${name}` : name
    const [resume] = commandsIn(shown({ finished: false, step: 3 }, name))
    expect(words(resume)).toEqual(['heed', 'train', '--out', path, '--resume'])
    const [generate] = commandsIn(shown({ finished: true, task: { command: 'generate' } }, name))
    expect(words(generate)).toEqual([
      'heed',
      'generate',
      path,
      '--prompt',
      'The',
      '--tokens',
      '200',
    ])
  })
})
