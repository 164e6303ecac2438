import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

const example = new URL('../../examples/gpt.ts', import.meta.url)

it('trains a few steps and writes', async () => {
  const output = await runScript('examples/gpt.ts', '2')
  expect(output).toMatch(/^step 1 {2}loss 4\.\d{3}\n\nThe whale/)
  expect(output.length).toBeGreaterThan(300)
})

it('is under 60 lines', async () => {
  const lines = (await readFile(example, 'utf8')).trimEnd().split('\n')
  expect(lines.length).toBeLessThan(60)
})
