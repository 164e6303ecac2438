import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

const file = (path: string): Promise<string> =>
  readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

it("the README's example is the one in examples/", async () => {
  expect(await file('README.md')).toContain(`\`\`\`ts\n${await file('examples/readme.ts')}\`\`\``)
})

it('recites what it was trained on', async () => {
  const [, text] = /^const text = '(.*)'$/m.exec(await file('examples/readme.ts')) as string[]
  expect((await runScript('examples/readme.ts')).trim()).toBe(text)
})
