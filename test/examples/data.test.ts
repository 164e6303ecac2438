import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

it('tags words of Brown', async () => {
  const output = await runScript('examples/brown.ts', '--smoke')
  expect(output).toMatch(/40931 words to learn from, 4599 to be tagged/)
  expect(output).toMatch(/most frequent tag of each word: 91\.93 %/)
  expect(output).toMatch(/LSTM from nothing: [3-9]\d\.\d\d %/)
})

it('looks for sentences', async () => {
  const output = await runScript('examples/search.ts', '--smoke')
  expect(output.match(/rank +\d+, BM25 +\d+: /g)).toHaveLength(16)
  expect(output).toMatch(/BM25: MRR 0\.\d{3}, in the first ten \d\d %/)
  expect(output).toMatch(/the sea does not care about us\n( {2}\d\.\d\d {2}.*\n?){3}$/)
})

it('asks with no, one and five examples', async () => {
  const output = await runScript('examples/few-shot.ts', '--smoke')
  expect(output.match(/^(capitals|plurals|opposites) +(\d of 2 *){5}$/gm)).toHaveLength(3)
})

it('finds names in mails', async () => {
  const output = await runScript('examples/names.ts', '--smoke')
  expect(output).toMatch(/\d{3} lines to learn from, \d\d with entities/)
  expect(output).toMatch(/all +F1 \d\.\d{3} +precision \d\.\d{3} +recall \d\.\d{3} +\d+ entities/)
})
