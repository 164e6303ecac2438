import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { sentencesIn } from '../../scripts/prose/texts.ts'
import { habits } from '../../scripts/prose/words.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-prose-'))
afterAll(() => rmSync(folder, { recursive: true }))

function linesOf(name: string, text: string): number[] {
  writeFileSync(join(folder, name), text)
  const found = sentencesIn(folder, name).filter(({ text }) =>
    habits.some(({ pattern }) => pattern.test(text)),
  )
  return found.map(({ line }) => line).sort()
}

it('sentences are found in comments and strings, not in names', () => {
  const source = [
    '// Nobody reads this.',
    'const nobody = 1',
    "const text = 'it goes on here'",
    '/**',
    ' * Where it stands.',
    ' */',
    'const other = `it is told`',
    "import 'nobody'",
  ]
  expect(linesOf('a.ts', source.join('\n'))).toEqual([1, 3, 5, 7])
  expect(linesOf('a.cc', '// it goes on\nint nobody;\nlog("nobody is here");')).toEqual([1, 3])
  expect(linesOf('a.md', 'It goes on.\n```\nnobody\n```\n`nobody` reads it')).toEqual([1])
})

it('plain sentences pass', () => {
  const text = 'Resume from the newest checkpoint. It stands for the number of heads.'
  expect(linesOf('b.md', text)).toEqual([])
})
