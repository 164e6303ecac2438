import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allPages, blocksOf, differenceOf, root, runPage } from './page.ts'

const pages = allPages().filter(
  (path) => blocksOf(readFileSync(join(root, path), 'utf8')).length > 0,
)

describe.skipIf(process.platform === 'win32')('the code of', () => {
  it.each(pages)(
    '%s runs and prints what is shown',
    async (path) => {
      const folder = mkdtempSync(join(tmpdir(), 'heed-docs-'))
      try {
        await runPage(path, folder)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
    300_000,
  )
})

describe('blocks', () => {
  it('are found with their names, comments and outputs', () => {
    const page = [
      '```ts [a.ts]',
      'console.log(1000)',
      '```',
      'prints',
      '```text',
      '1000',
      '```',
      '<!-- small: 1000 => 10 -->',
      '```sh',
      'heed --steps 1000',
      '```',
      '<!-- not run: it needs a model of 2 GB -->',
      '```sh',
      'heed chat',
      '```',
    ]
    const blocks = blocksOf(page.join('\n'))
    expect(
      blocks.map(({ name, output, toRun, notRun }) => ({ name, output, toRun, notRun })),
    ).toEqual([
      { name: 'a.ts', output: '1000\n', toRun: 'console.log(1000)\n', notRun: '' },
      { name: 'block-9.ts', output: null, toRun: 'heed --steps 10\n', notRun: '' },
      {
        name: 'block-13.ts',
        output: null,
        toRun: 'heed chat\n',
        notRun: 'it needs a model of 2 GB',
      },
    ])
  })

  it('name the files that they need', () => {
    const [{ files }] = blocksOf('<!-- with: docs/a.ts -->\n<!-- with: b.ts -->\n```ts\n```')
    expect(files).toEqual(['docs/a.ts', 'b.ts'])
  })

  it('with a misspelt comment are refused', () => {
    expect(() => blocksOf('<!-- not ran: why -->\n```sh\nls\n```')).toThrow(/Unknown comment/)
    expect(() => blocksOf('<!-- small: 5 => 1 -->\n```sh\nls\n```')).toThrow(/does not contain/)
  })

  it('fail when they break or print something else', async () => {
    expect(differenceOf('loss 2.31 after 4 s\n', 'loss 2.35 after 40 s\n')).toBeNull()
    expect(differenceOf('a … z', 'a b c z')).toBeNull()
    expect(differenceOf('loss 2.31', 'loss 2.91')).toContain('Printed:\nloss 2.91')
    expect(differenceOf('loss 2.31', 'gain 2.31')).not.toBeNull()
    expect(differenceOf('one', 'one two')).not.toBeNull()
  })
})
