import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

async function smoke(script: string, ...flags: string[]): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'heed-example-'))
  try {
    return await runScript(script, '--smoke', '--out', out, ...flags)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

it('pre-trains a BERT and compares it with one from nothing', async () => {
  const printed = await smoke('examples/spam.ts')
  expect(printed).toMatch(/pre-trained: [\d.]+ % of masked tokens, [\d.]+ % of next sentences/)
  expect(printed.match(/^40 labels, .*: F1 of spam [01]\.\d{4}, accuracy/gm)).toHaveLength(2)
}, 60_000)

it('fine-tunes all weights, parts and adapters', async () => {
  const printed = await smoke('examples/reviews.ts', '--methods', 'all')
  const sizes = [...printed.matchAll(/(\d+) weights learn \([\d.]+ %\): accuracy [\d.]+ %/g)]
  const numbers = sizes.map(([, size]) => Number(size))
  expect(numbers).toHaveLength(9)
  expect(numbers.indexOf(Math.max(...numbers))).toBe(0)
  expect(printed).toContain('accuracy-by-share.svg')
}, 60_000)

it('pre-trains a T5 that answers in words', async () => {
  const printed = await smoke('examples/t5.ts')
  expect(printed).toMatch(/span corruption: [\d.]+ % of the target tokens are right, loss [\d.]+/)
  expect(printed).toMatch(/^ {2}to step +30 {2}loss [\d.]+$/m)
  expect(printed.match(/^60 answers, t5-(pre-trained|from-nothing)-1: [\d.]+ % right/gm)).toHaveLength(2) // biome-ignore format: one line
  expect(printed.match(/^(pre-trained|from nothing)( +[\d.]+ %){2}$/gm)).toHaveLength(2)
}, 60_000)

it('adapts a GPT to a domain', async () => {
  const printed = await smoke('examples/domain.ts')
  const rows = [
    ...printed.matchAll(/^([\w-]+) +(\d+\.\d+) +(\d+\.\d+) +(\d+\.\d+) {3}\(\d+ s\)$/gm),
  ]
  expect(rows.map(([, name]) => name)).toEqual(['general', 'scratch', 'same-tokens', 'adapted', 'replay']) // biome-ignore format: one line
  const [general, , , , replay] = rows.map(([, , bits, , tokens]) => [Number(bits), Number(tokens)])
  expect(replay[0]).toBeLessThan(general[0])
  expect(replay[1]).toBeLessThan(0.85 * general[1])
  expect(printed).toMatch(/ch\|r\|om/)
}, 60_000)

it('distils a classifier of reviews into some of its layers', async () => {
  const printed = await smoke('examples/distil-reviews.ts')
  const names = [...printed.matchAll(/^(\w+) +accuracy [\d.]+ % \(\d+ s\)$/gm)].map(([, n]) => n)
  expect(names).toEqual(['teacher', 'labels', 'distilled'])
}, 60_000)

it('learns to judge replies', async () => {
  const printed = await smoke('examples/lamda.ts')
  expect(printed).toMatch(/true reply above one of another talk: [\d.]+ % of 8/)
  expect(printed).toMatch(/true reply first of 16: [\d.]+ % of 4/)
  expect(printed.match(/^ {2}sensible [01]\.\d\d {2}/gm)?.length).toBeGreaterThan(0)
}, 60_000)
